"""What is a dataflow of PEs that a bus feeds?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.bus.cycles import Layout, cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.systolic.traffic import MatrixProduct
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Product, Work

_FIXED = {
    "pipelined_signatures": "a bit is there with its last element",
    "mac_unit": "a PE multiplies and adds in one cycle in any case",
    "arrival": "signatures come in the vectors' order",
    "late_hits": "vectors follow each other, so that a HIT's result is there before it",
    "dealing": "there are no PE sets to deal products to",
    "filters_in_flight": "there are no PE sets to deal products to",
    "replicated": "there are no PE sets to deal rows to",
    "replicas": "there are no PE sets to deal rows to",
}


@dataclass(frozen=True)
class Bus:
    """A dataflow of PEs that a bus feeds; ``docs/systolic-arrays.md``.

    Attributes:
        name: what accelerators call it.
        layout: how its PEs are filled.
        words: what it moves for matrix products.
        held: results of an MCACHE entry by a layer's filters; by None the most of any layer.
    """

    name: str
    layout: Layout
    words: Callable[[Accelerator, MatrixProduct], ArrayTraffic]
    held: Callable[[Accelerator, int | None], int]

    idle_options = {  # noqa: RUF012
        "insertion_queue": "no two signatures are completed in a cycle",
        "versions": "results leave as their vector ends, so that no filter waits for another",
    }
    assumptions = ()

    def fixed_options(self, _accelerator: Accelerator) -> Mapping[str, str]:
        """Those of PE sets."""
        return {option: f"dataflow is {self.name!r}: {why}" for option, why in _FIXED.items()}

    def cycles(
        self, accelerator: Accelerator, work: Work, products: Sequence[Product]
    ) -> dict[Product, dict[Timing, Cycles]]:
        """Of the loads and streams of every scope.

        Raises:
            ValueError: a scope of the Hitmap has HITs and not one vector that they could reuse.
        """
        return cycles(accelerator, work, products, self.layout)

    def traffic(self, accelerator: Accelerator, computed: DotProducts) -> ArrayTraffic:
        """Of the matrix products that compute them."""
        return self.words(accelerator, MatrixProduct.of(accelerator, computed))

    def arrival(self, _accelerator: Accelerator, _shape: VectorShape, _kind: Kind) -> None:
        """Signatures are completed in raster order."""

    def results(
        self, accelerator: Accelerator, shape: VectorShape | None = None, _kind: Kind = "conv"
    ) -> int:
        """One a filter that a vector meets before it makes room.

        Raises:
            ValueError: there are as many as a layer has filters, and no ``shape`` says how many.
        """
        return self.held(accelerator, None if shape is None else shape.filters)

    def mcaches(
        self, _accelerator: Accelerator, _shape: VectorShape | None = None, _kind: Kind = "conv"
    ) -> int:
        """One: scopes follow each other."""
        return 1

    def reads_representatives(self, _accelerator: Accelerator, _kind: Kind) -> bool:
        """A HIT leaves its place to the next vector, whatever it takes its result from."""
        return False
