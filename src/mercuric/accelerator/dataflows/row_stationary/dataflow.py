"""What is row stationary? Rows of the input stay in PEs, and PE sets share a scope (Eyeriss, paper III)."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.row_stationary import cycles as convolution
from mercuric.accelerator.dataflows.row_stationary import fully_connected
from mercuric.accelerator.dataflows.row_stationary import traffic as array
from mercuric.accelerator.dataflows.row_stationary.dealing import (
    Tasks,
    mcaches_held,
    most_results,
    results_held,
)
from mercuric.accelerator.dataflows.row_stationary.pe_sets import interleaved
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.hardware import Accelerator, Dealing
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Product, Work

_IN_SETS = {
    "baseline_depth": "PE sets work channel by channel, in the baseline too",
    "hit_ports": "a PE set sends a HIT's result in the HIT's own cycle",
    "hit_cycles": "a HIT takes its PE set a cycle in any case",
}
_ROWS_ALONE = {
    "replicated": "only where rows are dealt are some sets without any",
    "replicas": "only where rows are dealt are filters side by side",
}
_DEALT_PRODUCTS = {
    **_ROWS_ALONE,
    "arrival": "several PE sets compute the bits of one signature",
    "insertion_queue": "several PE sets compute the bits of one signature",
    "versions": "an MCACHE entry then holds a result for every filter under way, however many",
}
_IN_FLIGHT = {"filters_in_flight": "only products and misses are dealt for several filters together"}
_FIXED: Mapping[Dealing, Mapping[str, str]] = {
    "vectors": {**_ROWS_ALONE, **_IN_FLIGHT},
    "products": _DEALT_PRODUCTS,
    "rows": _IN_FLIGHT,
    "misses": _DEALT_PRODUCTS,
}
"""Options that what is dealt leaves no choice in, and why."""


class RowStationary:
    """Rows of the input in the PEs; ``docs/cycle-model.md`` and ``docs/fully-connected.md``."""

    name = "row"
    idle_options: Mapping[str, str] = {}
    assumptions = ("on row-stationary arrays the cycle model lets loads take no time",)

    def fixed_options(self, accelerator: Accelerator) -> Mapping[str, str]:
        """PE sets have every option; what they are dealt leaves no choice in some."""
        fixed = _FIXED[accelerator.dealing]
        if accelerator.dealing == "rows" and accelerator.replicated != "filters":
            queues = f"{accelerator.replicated} side by side have queues of their own"
            fixed = {**fixed, "insertion_queue": queues}
        dealt = {option: f"dealing is {accelerator.dealing!r}: {why}" for option, why in fixed.items()}
        return dealt | {option: f"dataflow is 'row': {why}" for option, why in _IN_SETS.items()}

    def cycles(
        self, accelerator: Accelerator, work: Work, products: Sequence[Product]
    ) -> dict[Product, dict[Timing, Cycles]]:
        """Of a convolution on PE sets; of a fully connected or attention layer with a PE an input.

        Raises:
            ValueError: the array has fewer PEs than the window has rows; the accelerator has insertion
                queues and the work no cache sets; a late HIT's representative does not arrive before it.
        """
        count = convolution.cycles if work.kind == "conv" else fully_connected.cycles
        return count(accelerator, work, products)

    def traffic(self, accelerator: Accelerator, computed: DotProducts) -> ArrayTraffic:
        """By the tile of least energy.

        Raises:
            ValueError: the array has fewer PEs than the window has rows.
        """
        return array.traffic(accelerator, computed)

    def arrival(self, accelerator: Accelerator, shape: VectorShape, kind: Kind) -> NDArray[np.int64] | None:
        """The PE sets of a convolution finish one signature each at a time, if ``arrival`` says so.

        Raises:
            ValueError: the array has fewer PEs than the window has rows.
        """
        if accelerator.arrival == "raster" or kind != "conv":
            return None
        owners = Tasks.of(accelerator, shape).owners
        return None if owners is None else interleaved(owners)

    def results(self, accelerator: Accelerator, shape: VectorShape | None = None, kind: Kind = "conv") -> int:
        """One a filter under way; where products or rows are dealt, as many as the layer makes them.

        Raises:
            ValueError: the array has fewer PEs than the window has rows.
        """
        return most_results(accelerator) if shape is None else results_held(accelerator, shape, kind)

    def mcaches(self, accelerator: Accelerator, shape: VectorShape | None = None, kind: Kind = "conv") -> int:
        """One, or one a channel or image that is side by side with others.

        Raises:
            ValueError: the array has fewer PEs than the window has rows.
        """
        return mcaches_held(accelerator, shape, kind)

    def reads_representatives(self, accelerator: Accelerator, kind: Kind) -> bool:
        """Fully connected layers send results to the inputs that match (III-C3); late HITs wait for one."""
        return kind != "conv" or accelerator.late_hits != "ready"


ROW_STATIONARY = RowStationary()
