"""What is a systolic dataflow? A layer's products are folded onto the array as matrix products."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.systolic.cycles import Folding, cycles
from mercuric.accelerator.dataflows.systolic.traffic import MatrixProduct
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Product, Work

_FIXED = {
    "pipelined_signatures": "a systolic array overlaps all dot products",
    "mac_unit": "a PE of a systolic array multiplies and adds in one cycle in any case",
    "arrival": "signatures leave a systolic array in the vectors' order",
    "late_hits": "waiting for a late result is modelled for PE sets alone",
    "dealing": "a systolic array has no PE sets to deal products to",
    "filters_in_flight": "a systolic array has no PE sets to deal products to",
    "replicated": "a systolic array has no PE sets to deal rows to",
    "replicas": "a systolic array has no PE sets to deal rows to",
    "blocks_at_once": "a systolic array multiplies one block after the other",
}


@dataclass(frozen=True)
class Systolic:
    """A dataflow of a systolic array; ``docs/systolic-arrays.md``.

    Attributes:
        name: of what stays in the PEs.
        folding: how the array is filled.
        words: what it moves for matrix products.
    """

    name: str
    folding: Folding
    words: Callable[[MatrixProduct], ArrayTraffic]

    idle_options = {"insertion_queue": "systolic arrays look up a signature a cycle"}  # noqa: RUF012
    assumptions = ()

    def fixed_options(self, accelerator: Accelerator) -> Mapping[str, str]:
        """Those of PE sets, and queues where a load would wait for them."""
        fixed = dict(_FIXED)
        if not self.folding.queues and accelerator.design == "asynchronous":
            fixed["insertion_queue"] = "its overlapping folds' queues are not modelled"
        return {option: f"dataflow is {self.name!r}: {why}" for option, why in fixed.items()}

    def cycles(
        self, accelerator: Accelerator, work: Work, products: Sequence[Product]
    ) -> dict[Product, dict[Timing, Cycles]]:
        """Of the folds of every scope.

        Raises:
            ValueError: a scope of the Hitmap has HITs and not one vector that they could reuse.
        """
        return cycles(accelerator, work, products, self.folding)

    def traffic(self, accelerator: Accelerator, computed: DotProducts) -> ArrayTraffic:
        """Of the matrix products that compute them."""
        return self.words(MatrixProduct.of(accelerator, computed))

    def arrival(self, _accelerator: Accelerator, _shape: VectorShape, _kind: Kind) -> None:
        """Signatures leave the array in raster order."""

    def results(
        self, accelerator: Accelerator, _shape: VectorShape | None = None, _kind: Kind = "conv"
    ) -> int:
        """One a fold under way."""
        return accelerator.results

    def mcaches(
        self, _accelerator: Accelerator, _shape: VectorShape | None = None, _kind: Kind = "conv"
    ) -> int:
        """One: scopes follow each other."""
        return 1

    def reads_representatives(self, _accelerator: Accelerator, _kind: Kind) -> bool:
        """A HIT leaves its place to the next vector, whatever it takes its result from."""
        return False
