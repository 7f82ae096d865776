"""What must another simulator know of a layer?"""

from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.kinds.convolution import ConvolutionKind
from mercuric.reuse.layer_kinds import is_product, kind_of
from mercuric.trace.forward_pass import Inputs, infer
from mercuric.trace.recorder import first_argument, recording

Pair = tuple[int, int]


@dataclass(frozen=True)
class DenseLayer:
    """One call of a convolution; a fully connected layer is a 1x1 convolution of one-pixel images.

    Attributes:
        name: the layer's name in its network.
        images: inputs of the call.
        groups: convolution groups.
        channels: input channels of all groups.
        filters: filters of all groups.
        kernel: height and width.
        output: height and width of an output.
        stride: between windows, down and across.
        dilation: between elements of a window, down and across.
        size: height and width of an input, without padding.
        padding: rows above and columns to the left that are added to an input.

    Raises:
        ValueError: a number is below 1 (padding: below 0), or ``groups`` does not divide ``channels`` and
            ``filters``.
    """

    name: str
    images: int
    groups: int
    channels: int
    filters: int
    kernel: Pair
    output: Pair
    stride: Pair
    dilation: Pair
    size: Pair
    padding: Pair

    def __post_init__(self) -> None:
        for argument, least in [*dict.fromkeys(_COUNTED, 1).items(), ("padding", 0)]:
            value = getattr(self, argument)
            if min(value if isinstance(value, tuple) else (value,)) < least:
                raise ArgumentError(
                    f"{argument} of layer {self.name!r} was {value}, but must be at least {least}"
                )
        if self.channels % self.groups or self.filters % self.groups:
            raise ArgumentError(
                f"groups of layer {self.name!r} was {self.groups}, but must divide its {self.channels} "
                f"channels and {self.filters} filters"
            )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward product."""
        length = self.channels // self.groups * prod(self.kernel)
        return self.images * prod(self.output) * self.filters * length

    @property
    def matrices(self) -> tuple[int, int, int, int]:
        """The same as matrix products: how many (one a group), and M, K and N of M x K times K x N."""
        pixels, taps = self.images * prod(self.output), prod(self.kernel)
        return self.groups, pixels, self.channels // self.groups * taps, self.filters // self.groups

    @property
    def is_plain(self) -> bool:
        """Whether it is what every tool has a convolution for, and no matrix product as it stands: one image,
        one stride in both directions, no dilation."""
        is_matrix = self.size == self.kernel == self.output == (1, 1)
        one_stride = self.stride[0] == self.stride[1] and self.dilation == (1, 1)
        return self.images == 1 and one_stride and not is_matrix

    @property
    def covered(self) -> Pair:
        """Height and width that the windows of an input cover, its padding included."""
        sides = zip(self.output, self.stride, self.dilation, self.kernel, strict=True)
        height, width = ((out - 1) * step + gap * (taps - 1) + 1 for out, step, gap, taps in sides)
        return height, width

    @property
    def shape(self) -> tuple[int | Pair, ...]:
        """Everything but the name: layers of one shape cost the same."""
        return tuple(getattr(self, field) for field in (*_COUNTED, "padding"))


_COUNTED = ("images", "groups", "channels", "filters", "kernel", "output", "stride", "dilation", "size")


def matrix_products(name: str, count: int, M: int, K: int, N: int) -> DenseLayer:
    """``count`` products M x K times K x N, each of matrices of its own, as groups of a 1x1 convolution."""
    once = (1, 1)
    return DenseLayer(name, M, count, count * K, count * N, once, once, once, once, once, (0, 0))


def read_layers(model: nn.Module, inputs: Inputs) -> list[DenseLayer]:
    """As :func:`layer_calls`.

    Raises:
        ValueError: the model called no such layer.
    """
    if found := layer_calls(model, inputs):
        return found
    raise ArgumentError(f"model was a {type(model).__name__} that called no layer")


def layer_calls(model: nn.Module, inputs: Inputs) -> list[DenseLayer]:
    """Run one batch and note every call of a convolution or fully connected layer, in order.

    Works on the ``meta`` device too, where shapes alone run. The model is left as it was.
    """
    found: list[DenseLayer] = []

    def note(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], _: Tensor) -> None:
        found.append(_layer(name or type(module).__name__, module, first_argument(args, kwargs)))

    layers = {name: one for name, one in model.named_modules() if is_product(one)}
    with recording(layers, after=note):
        infer(model, inputs)
    return found


def _layer(name: str, module: nn.Module, x: Tensor) -> DenseLayer:
    kind = kind_of(module)
    if isinstance(module, nn.Linear):
        return matrix_products(name, 1, prod(x.shape[:-1]), x.shape[-1], module.out_features)
    assert isinstance(kind, ConvolutionKind)  # noqa: S101 - attention has no product of its own
    geometry, given = kind.geometry(module), kind.images(x)
    images, _, *sides = given.shape
    left, _, above, _ = geometry.pads
    output = geometry.grid(images, sides).output[1:]
    return DenseLayer(
        name, images, geometry.groups, geometry.in_channels, geometry.out_channels, geometry.kernel_size,
        output, geometry.stride, geometry.dilation, (sides[0], sides[1]), (above, left),
    )  # fmt: skip
