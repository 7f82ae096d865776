"""What must a kind of layers tell?"""

from typing import Any, Protocol

from torch import Tensor, nn

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import Granularity, Scope, VectorShape


class LayerKind(Protocol):
    """One class of PyTorch's layers: what takes its place, and which product it is.

    Attributes:
        plain: PyTorch's class.
        layer: the class that takes its place, a :class:`~mercuric.reuse.reuse_layer.ReuseLayer`.
        product: what its input vectors are multiplied with.
        whole: whether that is all that the layer computes.
        batched: dimensions of an input whose first is that of images.
        sums: whether an output is a sum of several of the product's.
    """

    plain: type[nn.Module]
    layer: type[nn.Module]
    product: Kind
    whole: bool = True
    batched: int = 3
    sums: bool = False

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:
        """What the layer remembers, the state of its own product first.

        Args:
            module: the plain layer.
            name: its name in the model.
            config: of any method.

        Raises:
            ValueError: the configuration does not fit the layer.
        """

    def own(self, layer: Any, states: list[LayerReuse]) -> None:
        """Give a layer that takes a plain one's place its states."""
        (layer.__dict__["_mercuric"],) = states

    def vectors(
        self, module: Any, given: Tensor, granularity: Granularity, scope: Scope
    ) -> VectorShape | None:
        """The input vectors of a plain layer's own product; None where it has none.

        Args:
            module: the plain layer.
            given: what it reads.
            granularity: what a vector spans.
            scope: what clears the MCACHE.
        """

    def fresh(self, module: Any, shape: VectorShape) -> int:  # noqa: ARG002
        """Elements of a vector's row that the vector before it did not have.

        Args:
            module: the plain layer.
            shape: of :meth:`vectors`.
        """
        return shape.elements

    def macs(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> dict[str, int]:
        """Multiply-accumulates of one call of the dense layer, by the names of its states.

        Args:
            layer: with its states.
            args, kwargs: of the call.
            output: what it gave.
        """

    def filters(self, module: Any, weight: Tensor) -> Tensor:  # noqa: ARG002
        """A layer's weight as filters (M, ...), of all groups.

        Args:
            module: the layer, plain or not.
            weight: what stands for its weight.
        """
        return weight

    def rows(self, output: Tensor) -> Tensor:
        """A layer's output as vectors, one a row: (..., filters), of a kind that doesn't add them up."""
        return output

    def product_rows(
        self,
        layer: Any,
        given: tuple[Any, ...],  # noqa: ARG002 - the output has them all
        output: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """The outputs of a layer's product as rows (vectors, filters), and what was added to each, or None.

        Args:
            layer: with its states.
            given: its inputs.
            output: what it gave densely.
        """
        return output.flatten(0, -2), layer.bias
