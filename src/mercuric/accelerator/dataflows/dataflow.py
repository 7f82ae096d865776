"""What must a dataflow say of an array that works by it?"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Product, Work


class Dataflow(Protocol):
    """How an array lays out a layer's products: its options, cycles, traffic, and use of the MCACHE.

    What it can't count of an accelerator or a layer, a method refuses by an ``ArgumentError`` that says so.
    """

    @property
    def name(self) -> str:
        """What ``Accelerator.dataflow`` calls it."""
        ...

    @property
    def idle_options(self) -> Mapping[str, str]:
        """Options of an accelerator that it leaves open and that change no cycle, and why they don't."""
        ...

    @property
    def assumptions(self) -> Sequence[str]:
        """What its cycles leave out beside energy and latency, a clause each, as reports put them."""
        ...

    def fixed_options(self, accelerator: Accelerator, /) -> Mapping[str, str]:
        """Options of an accelerator that must keep their defaults: where they must, and why."""
        ...

    def cycles(
        self, accelerator: Accelerator, work: Work, products: Sequence[Product], /
    ) -> dict[Product, dict[Timing, Cycles]]:
        """Cycles of some of a layer's products with and without reuse, in both timings.

        Signatures are counted in ``"forward"`` alone: the backward products go by the saved Hitmap (III-C2).

        Raises:
            ValueError: the array can't work on the layer.
        """
        ...

    def traffic(self, accelerator: Accelerator, computed: DotProducts, /) -> ArrayTraffic:
        """Words that the array moves for the dot products of one product.

        Raises:
            ValueError: the array can't work on the layer.
        """
        ...

    def arrival(
        self, accelerator: Accelerator, shape: VectorShape, kind: Kind, /
    ) -> NDArray[np.int64] | None:
        """A scope's vectors as their signatures reach the MCACHE: int64, (vectors,); None: in raster order.

        Raises:
            ValueError: the array can't work on the layer.
        """
        ...

    def results(
        self, accelerator: Accelerator, shape: VectorShape | None = None, kind: Kind = "conv", /
    ) -> int:
        """Results that an MCACHE entry holds for a layer; without a ``shape``: those it is built with.

        Raises:
            ValueError: the array can't work on the layer.
        """
        ...

    def mcaches(
        self, accelerator: Accelerator, shape: VectorShape | None = None, kind: Kind = "conv", /
    ) -> int:
        """MCACHEs that are side by side for a layer; without a ``shape``: those that are built.

        Raises:
            ValueError: the array can't work on the layer.
        """
        ...

    def reads_representatives(self, accelerator: Accelerator, kind: Kind, /) -> bool:
        """Whether cycles depend on whose result a HIT takes, not only on which vectors hit."""
        ...
