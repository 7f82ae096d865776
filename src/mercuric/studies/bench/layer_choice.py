"""Which layers of a network are faster than dense here, measured all at once?

``handle.step`` times one layer a step, so that no training step is long; a benchmark, which can't
wait for hundreds of steps, times all of them after one. Measurement and choice are the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any

from torch import nn

from mercuric.reuse import ReuseHandle
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.judge.measured_cost import MeasuredCost


@dataclass(frozen=True)
class Choice:
    """What was measured and chosen.

    Attributes:
        seconds: that measuring took, over all layers.
        costs: layer to milliseconds with reuse and densely; None where the pass did not reach it.
    """

    seconds: float
    costs: dict[str, Cost | None]


def keep_faster(
    model: nn.Module,
    handle: ReuseHandle,
    step: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """Switch off the layers of ``model`` that are slower than dense.

    Args:
        model: with reuse.
        handle: its handle; of a configuration that keeps layers always.
        step: one forward (and backward) pass, gradients enabled; layers whose outputs need no gradient
            are timed forward alone.
        clock: seconds, of the layers and for what measuring took.
    """
    modules = {name: model.get_submodule(name) for name in handle.layers}
    stopwatch = MeasuredCost(modules, handle.switched, every=1, clock=clock)
    step()
    started = clock()
    costs = stopwatch.step([name for name, state in handle.layers.items() if state.comparable])
    seconds = clock() - started
    stopwatch.close()
    handle.keep_faster(costs)
    return Choice(seconds, costs)


def layer_rows(handle: ReuseHandle, choice: Choice) -> list[dict[str, Any]]:
    """A row a layer: ``kind``, ``rank``, ``error``, ``dense_ms``, ``reuse_ms``, ``kept``, ``why``."""
    rows = []
    for _, row in handle.report().iterrows():
        cost = choice.costs[row["layer"]]
        rows.append(
            {
                "layer": row["layer"],
                "kind": row["kind"],
                "rank": row.get("rank", nan),
                "error": row["error"],
                "dense_ms": nan if cost is None else cost.baseline,
                "reuse_ms": nan if cost is None else cost.signatures_and_products,
                "kept": "reuse" if row["on"] and row.get("rank", 1) else "dense",
                "why": row.get("computes", ""),
            }
        )
    return rows
