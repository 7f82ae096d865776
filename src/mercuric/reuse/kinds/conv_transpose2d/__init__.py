"""How does ``nn.ConvTranspose2d`` compute by a method? As a convolution of each pixel, whose outputs overlap.

A pixel's channels are multiplied with all that the kernel puts around it, ``M kh kw`` numbers: a 1x1
convolution, of exactly the layer's multiply-accumulates. Its outputs are added up where they overlap,
which ``F.fold`` does and nobody counts as multiplications.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.geometry import ConvGeometry, like
from mercuric.reuse.kinds.convolution import (
    ConvolutionKind,
    ReuseConvolution,
    layer_geometry,
    named_layer,
)
from mercuric.reuse.products import ConvolutionCall


def pixel_filters(weight: Tensor) -> Tensor:
    """(C, M, rows, columns) as (M rows columns, C, 1, 1)."""
    return weight.flatten(1).T[:, :, None, None]


class ConvTranspose2dKind(ConvolutionKind):
    """Pixels times kernels, then their sums; an input vector is a pixel's channels."""

    plain = nn.ConvTranspose2d
    batched = 4
    view = staticmethod(pixel_filters)
    sums = True
    reads = "(images, {channels}, height, width) or one such image"

    def geometry(self, module: Any) -> ConvGeometry:
        """A kernel of one pixel, with as many filters as the layer's kernel has elements for a channel."""
        rows, columns = module.kernel_size
        filters = module.out_channels * rows * columns
        return layer_geometry(
            named_layer(module), module.in_channels, filters, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), "zeros",
            module.groups,
        )  # fmt: skip

    def filters(self, module: Any, weight: Tensor) -> Tensor:
        """(C, M / groups, rows, columns) as (M rows columns, C / groups, 1, 1)."""
        if module.groups == 1:
            return pixel_filters(weight)
        grouped = weight.reshape(module.groups, len(weight) // module.groups, -1)
        return grouped.transpose(1, 2).flatten(0, 1)[:, :, None, None]

    def offsets(self, bias: Tensor | None) -> None:
        """The bias is added once for each output pixel, where products have been added up."""

    def raised(self, layer: Any, output: Tensor, given: Tensor, *more: Any) -> Tensor:
        """Products added up where they overlap; see :meth:`ConvolutionKind.raised`."""
        added = layer._output_padding(
            given,
            more[0] if more else None,
            layer.stride,
            layer.padding,
            layer.kernel_size,
            2,
            layer.dilation,
        )
        spans = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        whole = tuple(
            (side - 1) * step + span
            for side, step, span in zip(output.shape[-2:], layer.stride, spans, strict=True)
        )
        above, left = layer.padding
        height, width = whole[0] + added[0] - 2 * above, whole[1] + added[1] - 2 * left
        if min(height, width) < 1:
            raise ArgumentError(
                f"input of layer {layer._mercuric.name!r} was {tuple(given.shape)}, but must be larger: what "
                f"its padding {layer.padding} leaves of the output is {height} x {width}"
            )
        summed = F.fold(output.flatten(2), whole, layer.kernel_size, layer.dilation, 0, layer.stride)
        image = F.pad(summed, [-left, added[1] - left, -above, added[0] - above])
        if layer.bias is not None:
            image = image + layer.bias.to(image.dtype)[:, None, None]
        if given.dim() == self.batched:
            image = like(given, image)
        return super().raised(layer, image, given)

    def product_rows(self, layer: Any, given: tuple[Any, ...], output: Tensor) -> tuple[Tensor, None]:  # noqa: ARG002
        """The products again, before they are added up."""
        with torch.no_grad():
            return ConvolutionCall(layer, given[0], ()).product().movedim(1, -1).flatten(0, -2), None


class ReuseConvTranspose2d(ReuseConvolution, nn.ConvTranspose2d):
    """``nn.ConvTranspose2d`` that computes alike pixels once, or in directions."""

    _mercuric_plain = nn.ConvTranspose2d

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """As ``nn.ConvTranspose2d.forward``; see :meth:`ReuseConvolution.forward`."""
        output: Tensor = self._computed(input, output_size)
        return output


CONV_TRANSPOSE2D = ReuseConvTranspose2d._mercuric_kind = ConvTranspose2dKind(ReuseConvTranspose2d)
