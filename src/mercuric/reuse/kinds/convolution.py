"""How does a layer compute whose product is a convolution of images?

A kind says how its layers' inputs become images (N, C, H, W), their weight filters (M, C / groups, rows,
columns), and the product their output. The methods know the convolution alone.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from mercuric.errors import ArgumentError
from mercuric.reuse.config import ReuseConfig, as_config
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.precision import refuse_complex, require_tensors
from mercuric.reuse.products import ConvolutionCall, LayerProduct, Lowering
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.vectors import Granularity, Scope, VectorShape, vectors_of


class ConvolutionKind(LayerKind, Lowering):
    """Layers whose product is a convolution; see :class:`~mercuric.reuse.kinds.kind.LayerKind`.

    Attributes:
        reads: what the layer reads, for errors.
        view: gives a weight of one group as filters, in its own memory if it is contiguous; None: as it
            is.
    """

    product: Kind = "conv"
    reads: str
    view: Callable[[Tensor], Tensor] | None = None

    def __init__(self, layer: type[nn.Module]) -> None:
        self.layer = layer

    def geometry(self, module: Any) -> ConvGeometry:
        """The convolution that a layer, plain or not, computes."""
        raise NotImplementedError

    def images(self, given: Tensor) -> Tensor:
        """What a layer reads, with images or one, as images (N, C, H, W)."""
        return given if given.dim() == self.batched else given.unsqueeze(0)

    def filters(self, module: Any, weight: Tensor) -> Tensor:  # noqa: ARG002
        """See :meth:`Lowering.filters`."""
        return weight if self.view is None else self.view(weight)

    def offsets(self, bias: Tensor | None) -> Tensor | None:
        """See :meth:`Lowering.offsets`."""
        return bias

    def raised(self, layer: Any, output: Tensor, given: Tensor, *more: Any) -> Tensor:  # noqa: ARG002
        """See :meth:`Lowering.raised`."""
        return output if given.dim() == self.batched else output.squeeze(0)

    def rows(self, output: Tensor) -> Tensor:
        """Channels last; see :meth:`LayerKind.rows`."""
        return output.movedim(1 - self.batched, -1)

    def product_rows(
        self,
        layer: Any,
        given: tuple[Any, ...],  # noqa: ARG002 - the output has them all
        output: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """Pixels; see :meth:`LayerKind.product_rows`."""
        return self.rows(output).flatten(0, -2), layer.bias

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:
        """One state; see :meth:`LayerKind.states`."""
        geometry = self.geometry(module)
        product = LayerProduct(self.product, geometry.filters, geometry, self.view)
        return [method_of(config).layer(name, config, product)]

    def vectors(self, module: Any, given: Tensor, granularity: Granularity, scope: Scope) -> VectorShape:
        """Windows of the images; see :meth:`LayerKind.vectors`."""
        images = self.images(given)
        return vectors_of(self.geometry(module), images, granularity, scope)

    def fresh(self, module: Any, shape: VectorShape) -> int:
        """Columns that a stride brings; see :meth:`LayerKind.fresh`."""
        geometry = self.geometry(module)
        width = geometry.kernel_size[1]
        return shape.elements // width * min(geometry.stride[1], width)

    def macs(
        self,
        layer: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,  # noqa: ARG002
    ) -> dict[str, int]:
        """All of them are the product's; see :meth:`LayerKind.macs`."""
        given = args[0] if args else kwargs["input"]
        return {layer.__dict__["_mercuric"].name: self.geometry(layer).macs(self.images(given))}


class ReuseConvolution(ReuseLayer):
    """Mixed into the class of a layer whose product is a convolution.

    Takes every option of the plain layer; parameters and state_dict keys are its own.

    Args:
        reuse: how it computes; :class:`~mercuric.Alike` by default.
    """

    _mercuric_kind: ClassVar[ConvolutionKind]

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mercuric_kind.own(self, self._mercuric_kind.states(self, "", as_config(reuse)))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        """As the plain layer's.

        What PyTorch refuses raises PyTorch's error, and an empty batch gives what it gives there.

        Raises:
            ValueError: another number of channels or dimensions, an image smaller than the kernel, or
                complex filters.
        """
        output: Tensor = self._computed(input)
        return output

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def _computed(self, input: Tensor, *more: Any) -> Tensor:  # noqa: A002
        state = self._mercuric
        state.ran = True
        layer: Any = self
        # What derives the weight may differ from one time to the next.
        with parametrize.cached() if parametrize.is_parametrized(layer) else nullcontext():
            if state.on:
                self._check(input)
            return method_of(state.config).convolve(ConvolutionCall(self, input, more))

    def _check(self, input: Tensor) -> None:  # noqa: A002
        layer: Any = self
        kind, name = self._mercuric_kind, self._mercuric.name
        require_tensors(name, input=input)
        refuse_complex(name, layer.weight, layer.bias)
        if (
            input.dim() not in (kind.batched - 1, kind.batched)
            or input.shape[1 - kind.batched] != layer.in_channels
        ):
            raise ArgumentError(
                f"input of layer {name!r} was {tuple(input.shape)}, but must be "
                f"{kind.reads.format(channels=layer.in_channels)}"
            )


def numeric_pads(layer: Any) -> tuple[int, ...]:
    """Padding of a layer as ``F.pad`` takes it, the last dimension's first."""
    if layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        # The layer reads its attribute, which may have been set since it was made.
        *above, left = layer.padding
        return (left, left, *above, *above)
    return tuple(layer._reversed_padding_repeated_twice)


@lru_cache(maxsize=4096)
def layer_geometry(layer: tuple[str, int, int, tuple[int, ...]], *fields: Any) -> ConvGeometry:
    """The geometry of a layer that an error names by its class, channels and kernel; kept from pass to pass.

    Args:
        layer: class, channels in and out, and kernel.
        fields: what :class:`ConvGeometry` has after ``layer``.
    """
    name, channels, filters, kernel = layer
    return ConvGeometry(f"{name}({channels}, {filters}, kernel_size={kernel})", *fields)


def named_layer(module: Any) -> tuple[str, int, int, tuple[int, ...]]:
    """How :func:`layer_geometry` takes the name of a layer."""
    name = type(module).__name__.removeprefix("Reuse")
    return name, module.in_channels, module.out_channels, tuple(module.kernel_size)
