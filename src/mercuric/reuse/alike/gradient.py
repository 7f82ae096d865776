"""Which gradient does a layer's input get when gradient vectors are compared? (paper III-C2)"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.alike.detection import Detection, detect, source_without_zeros, zero_windows
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.alike.same_places import maker_of
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.transforms import WithoutRules, see
from mercuric.reuse.vectors import VectorShape, gradient_vectors, row_vectors
from mercuric.reuse.windows import Windows, image_windows, row_windows


@dataclass(frozen=True)
class Saved:
    """What a layer's forward pass leaves for the layer before it: its signatures' outcome.

    Attributes:
        detection: the Hitmap of its input vectors.
        vectors: scopes, vectors in each, and elements of a vector.
        placement: where its windows lie: kernel, dilation, stride and the padding before an image's
            first row and column; empty for rows.
    """

    detection: Detection
    vectors: tuple[int, int, int]
    placement: tuple[int, ...]


def attach(result: Tensor, input: Tensor, weight: Tensor, product: "RowGradient | ImageGradient") -> Tensor:  # noqa: A002
    """``result``, such that its gradient reaches ``input`` through ``product``.

    ``result`` must be of a product that gives its inputs no gradient: gradients of parameters go through
    it, the gradient of the input does not. Gradients of gradients are those of what was really computed.
    """
    attached: Tensor = _Attached.apply(result, input, weight, product)  # type: ignore[no-untyped-call]
    return attached


def hand_back(input: Tensor, saved: Saved) -> None:  # noqa: A002 - a layer's word
    """Give what a layer saved to the layer that made its input, if the vectors match.

    O_i is I_(i+1) where nothing stands between but what keeps every element at its place: activations,
    normalisation and dropout, casts and views that come back to the same shape.
    """
    product = maker_of(input, (RowGradient, ImageGradient))
    if product is None or product.following is not None or product.output_shape != tuple(input.shape):
        return
    if product.awaited == (saved.vectors, saved.placement):
        product.following = saved
        product.reuse.reloads = True


class _Attached(WithoutRules):
    @staticmethod
    def forward(
        result: Tensor, _input: Tensor, _weight: Tensor, _product: "RowGradient | ImageGradient"
    ) -> Tensor:
        # A copy, for a view made here could not be changed in place by an activation.
        return result.clone(memory_format=torch.preserve_format)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        _, _, weight, ctx.product = inputs
        ctx.save_for_backward(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        needed = ctx.needs_input_grad[1]
        return gradient, ctx.product(gradient, weight) if needed else None, None, None


class RowGradient:
    """dO of a fully connected layer: rows of the output's gradient times the weight.

    Args:
        reuse: the layer's state.
        output_shape: of the layer's output.
        inputs: features of its input.

    Attributes:
        following: what the layer that takes this one's output saved, where its vectors match; else None.
        output_shape: of the layer's output.
    """

    def __init__(self, reuse: AlikeLayer, output_shape: tuple[int, ...], inputs: int) -> None:
        self.reuse = reuse
        self.following: Saved | None = None
        self.output_shape = output_shape
        self._shape = row_vectors(output_shape, inputs, reuse.config.scope, reuse.config.weight_blocks)

    @property
    def awaited(self) -> tuple[tuple[int, int, int], tuple[int, ...]]:
        """``vectors`` and ``placement`` that a following layer must have saved."""
        return (self._shape.scopes, self._shape.vectors, self._shape.length), ()

    def __call__(self, gradient: Tensor, weight: Tensor) -> Tensor:
        """(..., filters) to (..., features)."""
        rows = gradient.contiguous()
        adjoint = weight.T[None].to(rows.dtype)
        product = _compare_and_multiply(rows, row_windows, self._shape, adjoint, self.reuse, self.following)
        return product.view(*gradient.shape[:-1], -1)


class ImageGradient:
    """dO of a convolution: a convolution of the output's gradient with the turned kernels.

    Args:
        reuse: the layer's state.
        conv: the convolution.
        output_shape: of its output, (N, M, H', W').
        padded: shape of the padded input.
        pads: the zeros around the input: left, right, top, bottom, as ``F.pad`` takes them.

    Attributes:
        following: what the layer that takes this one's output saved, where its vectors match; else None.
        output_shape: of the layer's output.
    """

    def __init__(
        self,
        reuse: AlikeLayer,
        conv: ConvGeometry,
        output_shape: tuple[int, ...],
        padded: tuple[int, ...],
        pads: Sequence[int],
    ) -> None:
        self.reuse = reuse
        self.following: Saved | None = None
        self.output_shape = output_shape
        self._stride, self._dilation, self._groups = conv.stride, conv.dilation, conv.groups
        self._kernel = conv.kernel_size
        self._reach = [d * (k - 1) for d, k in zip(self._dilation, self._kernel, strict=True)]
        self._before = self._reach[0] - pads[2], self._reach[1] - pads[0]
        images, _, height, width = padded
        self._size = height - pads[2] - pads[3], width - pads[0] - pads[1]
        self._shape = gradient_vectors(conv, images, self._size, reuse.config.granularity, reuse.config.scope)

    @property
    def awaited(self) -> tuple[tuple[int, int, int], tuple[int, ...]]:
        """As :attr:`RowGradient.awaited`; a window must begin where this product's windows do."""
        placement = (*self._kernel, *self._dilation, 1, 1, *self._before)
        return (self._shape.scopes, self._shape.vectors, self._shape.length), placement

    def __call__(self, gradient: Tensor, weight: Tensor) -> Tensor:
        """(N, M, H', W') to (N, C, H, W)."""
        spread = self._spread(gradient)

        def windows(values: Tensor) -> Windows:
            return image_windows(values, self._kernel, self._dilation, (1, 1))

        filters, channels = weight.shape[0] // self._groups, weight.shape[1]
        turned = weight.view(self._groups, filters, channels, *self._kernel).flip(-1, -2)
        adjoint = turned.transpose(1, 2).reshape(self._groups, channels, -1).to(spread.dtype)
        product = _compare_and_multiply(spread, windows, self._shape, adjoint, self.reuse, self.following)
        return product.view(len(spread), *self._size, -1).permute(0, 3, 1, 2)

    def _spread(self, gradient: Tensor) -> Tensor:
        """The gradient with zeros between its pixels (the stride) and around it: a window an input pixel."""
        images, filters, rows, columns = gradient.shape
        height, width = (rows - 1) * self._stride[0] + 1, (columns - 1) * self._stride[1] + 1
        spread = gradient.new_zeros(images, filters, height, width)
        spread[:, :, :: self._stride[0], :: self._stride[1]] = gradient
        top, left = self._before
        bottom = self._size[0] + self._reach[0] - top - height
        right = self._size[1] + self._reach[1] - left - width
        return F.pad(spread, [left, right, top, bottom]).contiguous()


def _compare_and_multiply(
    values: Tensor,
    windows_of: Callable[[Tensor], Windows],
    shape: VectorShape,
    adjoint: Tensor,
    reuse: AlikeLayer,
    following: Saved | None,
) -> Tensor:
    again = torch.is_grad_enabled()

    def compare(numbers: Tensor, _: Tensor) -> tuple[Tensor, Windows]:
        windows, flat = windows_of(numbers), numbers.view(-1)
        projection = reuse.projection(shape.length, numbers.device, len(windows.taps))
        # What isn't finite is like nothing, whatever its place held in the forward pass.
        saved = following if following is not None and bool(flat.isfinite().all()) else None
        if saved is None:
            detection = detect(flat, windows, shape, projection, reuse.config)
        else:
            zero = zero_windows(flat, windows, shape, projection, reuse.config) if reuse.counting else None
            detection = saved.detection if zero is None else replace(saved.detection, zero=zero)
        reuse.tell(shape, detection, True, "input_gradient", bits=0 if saved else None)
        # Derivatives along directions are found by differentiating towards a gradient that is zero.
        return source_without_zeros(detection) if again and saved is None else detection.source, windows

    with torch.autocast(values.device.type, enabled=False):
        source, windows = see(reuse.name, compare, values, adjoint)
        return reuse_product(values, adjoint, None, source, windows)
