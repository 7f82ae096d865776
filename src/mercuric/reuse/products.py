"""What does a method compute, whatever layer it is of?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.observation import Kind


@dataclass(frozen=True)
class LayerProduct:
    """Which product a layer computes.

    Attributes:
        kind: what its input vectors are multiplied with.
        filters: dot products that a vector takes part in; 0 for attention, which has no parameters.
        geometry: of a convolution.
        view: gives a weight as filters (M, ...), in its own memory if it is contiguous; None: as it is.
    """

    kind: Kind
    filters: int = 0
    geometry: ConvGeometry | None = None
    view: Callable[[Tensor], Tensor] | None = None


class Lowering(Protocol):
    """How a layer's pass becomes a convolution of images, and that its output."""

    plain: type[nn.Module]

    def geometry(self, module: Any) -> ConvGeometry:
        """The convolution that a layer, plain or not, computes."""

    def images(self, given: Tensor) -> Tensor:
        """What a layer reads as images (N, C, H, W)."""

    def filters(self, module: Any, weight: Tensor) -> Tensor:
        """The weight as filters (M, C / groups, rows, columns).

        A view where there is one group and the weight is contiguous.
        """

    def offsets(self, bias: Tensor | None) -> Tensor | None:
        """What the product adds to each filter's outputs, (M,) or None."""

    def raised(self, layer: Any, output: Tensor, given: Tensor, *more: Any) -> Tensor:
        """The layer's output.

        Args:
            layer: of this kind.
            output: the product's, (N, M, H', W').
            given: what the layer reads.
            more: other arguments of its forward pass.
        """

    def product_rows(
        self, layer: Any, given: tuple[Any, ...], output: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """The outputs of a layer's product as rows (vectors, filters), and what was added to each, or None.

        Args:
            layer: with its states.
            given: its inputs.
            output: what it gave densely.
        """


class ConvolutionCall:
    """One pass of a layer whose product is a convolution: all that a method needs to compute it.

    Args:
        layer: of the kind.
        given: what it reads.
        more: other arguments of its forward pass.

    Attributes:
        kind: the layer's.
        state: the layer's, of the method.
        weight, bias: its parameters, or what stands for them.
        training: as modules have it.
    """

    # Every microsecond here is one of every layer: no functools.cached_property, which locks.
    __slots__ = (
        "_geometry", "_images", "bias", "given", "kind", "layer", "more", "state", "training", "weight",
    )  # fmt: skip

    def __init__(self, layer: Any, given: Tensor, more: tuple[Any, ...]) -> None:
        self.layer, self.given, self.more = layer, given, more
        self.kind: Lowering = layer._mercuric_kind
        self.state: Any = layer._mercuric
        self.weight: Tensor = layer.weight
        self.bias: Tensor | None = layer.bias
        self.training: bool = layer.training
        self._geometry: ConvGeometry | None = None
        self._images: Tensor | None = None

    @property
    def geometry(self) -> ConvGeometry:
        """Where the kernel lies."""
        if self._geometry is None:
            self._geometry = self.kind.geometry(self.layer)
        return self._geometry

    @property
    def images(self) -> Tensor:
        """What is convolved, (N, C, H, W)."""
        if self._images is None:
            self._images = self.kind.images(self.given)
        return self._images

    @property
    def filters(self) -> Tensor:
        """What it is convolved with, (M, C / groups, rows, columns): a view of the weight."""
        return self.kind.filters(self.layer, self.weight)

    @property
    def offsets(self) -> Tensor | None:
        """What is added, (M,) or None."""
        return self.kind.offsets(self.bias)

    def dense(self) -> Tensor:
        """The plain layer's output."""
        output: Tensor = self.kind.plain.forward(self.layer, self.given, *self.more)
        return output

    def product(self) -> Tensor:
        """The dense product, (N, M, H', W')."""
        return self.geometry.dense(self.images, self.filters, self.offsets)

    def raised(self, output: Tensor) -> Tensor:
        """The layer's output, of the product's (N, M, H', W')."""
        return self.kind.raised(self.layer, output, self.given, *self.more)

    def product_rows(self, output: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :meth:`Lowering.product_rows`."""
        return self.kind.product_rows(self.layer, (self.given, *self.more), output)
