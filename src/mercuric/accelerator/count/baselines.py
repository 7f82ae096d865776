"""What do the two baselines of an array take, folded by channel and whole?"""

from dataclasses import replace
from typing import get_args

from mercuric.accelerator.count.cycle_counter import CycleCounter
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.operands import Operands
from mercuric.accelerator.hardware import Accelerator, Depth
from mercuric.trace.layer_call import LayerCall


class Baselines:
    """Adds up the cycles without reuse, side by side, whichever of them the accelerator compares with.

    Args:
        accelerator: what is simulated; there is nothing to count where its dataflow has one baseline alone.
        training: count the backward products as well.
    """

    def __init__(self, accelerator: Accelerator, training: bool = True) -> None:
        fixed = dataflow_of(accelerator).fixed_options(accelerator)
        depths: tuple[Depth, ...] = () if "baseline_depth" in fixed else get_args(Depth)
        self._counters = {
            depth: CycleCounter(accelerator.changed(baseline_depth=depth), training) for depth in depths
        }

    def add(self, call: LayerCall, tensors: Operands | None) -> None:
        """Count one call without its Hitmap, waiting for its words, as :meth:`CycleCounter.count` does."""
        dense = replace(call.work, hitmap=None, bits=0)
        for counter in self._counters.values():
            counter.count(call.layer, dense, call.needs_input_gradient, call.product, tensors=tensors)

    @property
    def cycles(self) -> dict[Depth, int]:
        """Cycles of all layers, by how the depth is folded."""
        return {depth: counter.totals().baseline for depth, counter in self._counters.items()}
