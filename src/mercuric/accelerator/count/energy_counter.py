"""How much energy does each layer take over a run, and how large must the chip be for it?"""

from typing import TYPE_CHECKING, Any

from mercuric.accelerator.arrays import shares
from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.count.countable import layer_tensors
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.area import AREA_45NM, chip_area
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
        self._largest = {"vectors": 0, "bits": 0, "results": 0, "mcaches": 0}

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
        self._fit(call)

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
        """Energy of all layers by timing, design and level, and the chip's area, ready for JSON."""
        energy: dict[str, Any] = {"table": self.energies.name, "unit": self.energies.unit}
        for timing in TIMINGS:
            whole = sum((costs[timing] for costs in self.layers.values()), start=LayerCost())
            levels = {design: dict(cost.energy) for design, cost in _designs(whole)}
            totals = {design: cost.total for design, cost in _designs(whole)}
            energy[timing] = {**totals, "levels": levels}
        return {"energy": energy, "area_mm2": self.area(), "area_unknown": self._without_area()}

    def area(self) -> dict[str, float] | None:
        """mm2 of each part of the chip, as large as these layers need; None where it has no known area."""
        if self._without_area():
            return None
        vectors, bits, results, mcaches = self._largest.values()
        return chip_area(self._accelerator, vectors, bits, results=results, mcaches=mcaches)

    def _fit(self, call: LayerCall) -> None:
        dataflow, (largest, *_) = dataflow_of(self._accelerator), shares(self._accelerator, call.work)
        layer = (self._accelerator, largest.work.shape, call.work.kind)
        sizes = {
            "vectors": call.work.shape.vectors,
            "bits": call.work.bits,
            "results": dataflow.results(*layer),
            "mcaches": dataflow.mcaches(*layer),
        }
        self._largest = {name: max(size, self._largest[name]) for name, size in sizes.items()}

    def _without_area(self) -> str | None:
        if self._accelerator.entries is None:
            return "an unlimited MCACHE has no area"
        if self._accelerator.word_bits != AREA_45NM.word_bits:
            return f"areas are known of words of {AREA_45NM.word_bits} bits alone"
        return None if self._largest["bits"] else "no layer reuses, so that no signature has a length"


def _designs(costs: LayerCost) -> list[tuple[str, Cost]]:
    return [("baseline", costs.baseline), ("mercury", costs.mercury)]
