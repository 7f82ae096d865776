"""How much energy does each layer take over a run?"""

from typing import TYPE_CHECKING, Any

from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.count.countable import layer_tensors
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import Cost, LayerCost, fitting, layer_cost
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.layer_call import LayerCall

if TYPE_CHECKING:
    import pandas as pd

LayerCosts = dict[str, dict[Timing, LayerCost]]
"""A layer's costs by its name; a layer that is called twice costs both calls."""


class EnergyCounter:
    """Adds up what calls cost on an accelerator.

    Args:
        accelerator: what is counted.
        energies: its table.
        training: count the backward products as well.

    Attributes:
        layers: the costs so far.
        energies: the table.

    Raises:
        ValueError: the table's words have other bits than the accelerator's.
    """

    def __init__(self, accelerator: Accelerator, energies: Energies, training: bool) -> None:
        self.layers: LayerCosts = {}
        self.energies = fitting(accelerator, energies)
        self._accelerator, self._training = accelerator, training

    def add(self, call: LayerCall) -> None:
        """Count one call, by the order in which the accelerator's signatures arrive.

        Raises:
            ValueError: the accelerator is too small for the layer, nobody knows the call's words, or it is of
                gradient vectors.
        """
        cost = layer_cost(
            self._accelerator,
            arrived(call, self._accelerator).work,
            layer_tensors(call),
            needs_input_gradient=call.needs_input_gradient,
            training=self._training,
            energies=self.energies,
            product=call.product,
            reloaded=call.reloaded,
        )
        before = self.layers.get(call.layer) or {timing: LayerCost() for timing in TIMINGS}
        self.layers[call.layer] = {timing: before[timing] + cost[timing] for timing in TIMINGS}

    def table(self) -> "pd.DataFrame":
        """A layer a row: ``layer``, and in the table's unit ``energy_TIMING_DESIGN``."""
        import pandas as pd

        rows = [
            {
                "layer": name,
                **{
                    f"energy_{timing}_{design}": cost.total
                    for timing in TIMINGS
                    for design, cost in _designs(costs[timing])
                },
            }
            for name, costs in self.layers.items()
        ]
        return pd.DataFrame(rows)

    def summary(self) -> dict[str, Any]:
        """Energy of all layers by timing, design and level, ready for JSON."""
        energy: dict[str, Any] = {"table": self.energies.name, "unit": self.energies.unit}
        for timing in TIMINGS:
            whole = sum((costs[timing] for costs in self.layers.values()), start=LayerCost())
            levels = {design: dict(cost.energy) for design, cost in _designs(whole)}
            totals = {design: cost.total for design, cost in _designs(whole)}
            energy[timing] = {**totals, "levels": levels}
        return {"energy": energy}


def _designs(costs: LayerCost) -> list[tuple[str, Cost]]:
    return [("baseline", costs.baseline), ("mercury", costs.mercury)]
