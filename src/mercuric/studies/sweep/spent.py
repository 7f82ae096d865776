"""How much energy does a combination take, and how large must its chip be?"""

import pandas as pd

from mercuric.accelerator import Accelerator
from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.area import AREA_45NM, chip_area
from mercuric.accelerator.energy.layer_cost import LayerCost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.errors import ArgumentError
from mercuric.trace.layer_call import LayerCall


class Spent:
    """Adds up the energy of a network's layers, and what the largest of them needs of the chip.

    Args:
        accelerator: what is counted; its own table of energies.
        training: count the backward products as well.
    """

    def __init__(self, accelerator: Accelerator, training: bool) -> None:
        self._accelerator, self._training = accelerator, training
        self._layers: dict[str, dict[str, LayerCost]] = {}
        self._most = {"vectors": 1, "bits": 1, "results": 1, "mcaches": 1}

    def add(self, call: LayerCall) -> None:
        """Count one call, arrived at the accelerator's MCACHE.

        Raises:
            ValueError: the accelerator is too small for the layer, or nobody knows the call's words.
        """
        known, work = call.workload, call.work
        if known is None:
            raise ArgumentError(f"workload of layer {call.layer!r} was None, but its words must be known")
        cost = layer_cost(
            self._accelerator,
            work,
            operands(known.shape, known.inputs, known.fresh),
            needs_input_gradient=call.needs_input_gradient,
            training=self._training,
        )
        before = self._layers.get(call.layer) or {timing: LayerCost() for timing in TIMINGS}
        self._layers[call.layer] = {timing: before[timing] + cost[timing] for timing in TIMINGS}
        dataflow, layer = dataflow_of(self._accelerator), (self._accelerator, work.shape, work.kind)
        sizes = {
            "vectors": work.shape.vectors,
            "bits": work.bits,
            "results": dataflow.results(*layer),
            "mcaches": dataflow.mcaches(*layer),
        }
        self._most = {name: max(size, self._most[name]) for name, size in sizes.items()}

    def table(self) -> pd.DataFrame:
        """A layer a row: ``layer``, ``energy_TIMING_DESIGN`` in the table's unit, the chip's ``area_mm2``."""
        rows = [
            {"layer": name, "area_mm2": self._area(), **_energies(costs)}
            for name, costs in self._layers.items()
        ]
        return pd.DataFrame(rows)

    def _area(self) -> float | None:
        """Of the whole chip; None where its MCACHE or its words have no known area."""
        if self._accelerator.entries is None or self._accelerator.word_bits != AREA_45NM.word_bits:
            return None
        most = self._most
        area = chip_area(
            self._accelerator, most["vectors"], most["bits"],
            results=most["results"], mcaches=most["mcaches"],
        )  # fmt: skip
        return sum(area.values())


def _energies(costs: dict[str, LayerCost]) -> dict[str, float]:
    return {
        f"energy_{timing}_{design}": getattr(cost, design).total
        for timing, cost in costs.items()
        for design in ("baseline", "mercury")
    }
