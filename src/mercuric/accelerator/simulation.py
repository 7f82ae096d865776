"""How many cycles does MERCURY save on this network and these inputs?"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import nn

from mercuric.accelerator.cycle_counter import CycleCounter
from mercuric.accelerator.cycles import Cycles
from mercuric.accelerator.dot_product import Timing
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.accelerator.totals import totals
from mercuric.accelerator.work import Work, observed_work
from mercuric.accelerator.workload import Inputs, Workload, call, evaluating, read_workloads
from mercuric.reuse import Observation, ReuseConfig, restore_, reuse_, similarity_rates


@dataclass(frozen=True)
class Simulation:
    """Cycles of one batch, with and without reuse.

    Attributes:
        accelerator: what was simulated.
        layers: a layer a row: its similarity (as ``ReuseHandle.report``) and its cycles (as
            ``CycleCounter.layers``); layers that can't reuse cost the same on both sides.
        counter: the cycles by product and timing.
    """

    accelerator: Accelerator
    layers: pd.DataFrame
    counter: CycleCounter

    def cycles(self, timing: Timing | None = None) -> Cycles:
        """Cycles of all layers; ``timing`` defaults to the accelerator's."""
        return self.counter.totals(timing)

    def speedup(self, timing: Timing | None = None) -> float:
        """Cycles of the baseline over cycles with MERCURY; ``timing`` defaults to the accelerator's."""
        return self.cycles(timing).speedup

    def summary(self) -> dict[str, Any]:
        """The figures for scripts, ready for JSON."""
        return {"reuse": similarity_rates(self.layers), **totals(self.layers, self.accelerator)}


def simulate(
    model: nn.Module,
    inputs: Inputs,
    accelerator: str | Accelerator = "eyeriss-168",
    config: ReuseConfig | None = None,
    training: bool = True,
) -> Simulation:
    """Run one batch with reuse and count the cycles that it takes in hardware.

    The model is left as it was. The MCACHE is the configuration's.

    Args:
        model: any network without reuse layers; it runs in evaluation mode.
        inputs: a tensor, or positional arguments, or keyword arguments of the network.
        accelerator: a preset's name, or a description.
        config: how similarity is found; :meth:`ReuseConfig.paper` by default.
        training: count both backward products as well.

    Raises:
        ValueError: an unknown accelerator, one with fewer PEs than a kernel has rows, or a model
            with no layer to count or with reuse layers already. What the model raises goes through.
    """
    # There are no labels, so no gradient vectors: the saved Hitmaps stand for all products.
    config = (config or ReuseConfig.paper()).model_copy(update={"backward": "exact"})
    counter = CycleCounter(with_cache(as_accelerator(accelerator), config), training)
    workloads = read_workloads(model, inputs, config.granularity, config.scope)
    needs_gradient = {workload.layer: workload.needs_input_gradient for workload in workloads}

    def count(seen: Observation) -> None:
        counter.count(
            seen.layer, observed_work(seen, counter.accelerator), needs_gradient.get(seen.layer, True)
        )

    handle = reuse_(model, config)
    try:
        handle.observe(count)
        with torch.no_grad(), evaluating(model):
            call(model, inputs)
        similarity = handle.report()
    finally:
        restore_(model)
    dense = [workload for workload in workloads if workload.layer not in handle.layers]
    for workload in dense:
        counter.count(workload.layer, Work(workload.shape), workload.needs_input_gradient)
    return Simulation(counter.accelerator, _layers(workloads, similarity, dense, counter), counter)


def _layers(
    workloads: list[Workload], similarity: pd.DataFrame, dense: list[Workload], counter: CycleCounter
) -> pd.DataFrame:
    """A layer a row in the network's order, those that can't reuse among them."""
    counts = dict.fromkeys(("vectors", "bits", "HIT", "MAU", "MNU", "zero", "zero_hits"), 0)
    left_out = [
        {"layer": workload.layer, "kind": workload.kind, **counts, "error": float("nan"), "on": False}
        for workload in dense
    ]
    rows = pd.concat([similarity, pd.DataFrame(left_out)]) if left_out else similarity
    names = [workload.layer for workload in workloads] + list(similarity["layer"])
    order = pd.DataFrame({"layer": list(dict.fromkeys(names))})
    return order.merge(rows.drop_duplicates("layer")).merge(counter.layers())


def with_cache(accelerator: Accelerator, config: ReuseConfig) -> Accelerator:
    """The accelerator with the MCACHE that the Hitmaps come from."""
    return accelerator.model_copy(update={"entries": config.entries, "ways": config.ways})
