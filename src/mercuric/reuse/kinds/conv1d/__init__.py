"""How does ``nn.Conv1d`` compute by a method? As a convolution of images of one row."""

from typing import Any

from torch import Tensor, nn

from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.kinds.convolution import (
    ConvolutionKind,
    ReuseConvolution,
    layer_geometry,
    named_layer,
    numeric_pads,
)


def one_row(weight: Tensor) -> Tensor:
    """Filters (M, C, columns) as (M, C, 1, columns)."""
    return weight.unsqueeze(2)


class Conv1dKind(ConvolutionKind):
    """Signals (N, C, L) as images (N, C, 1, L)."""

    plain = nn.Conv1d
    batched = 3
    view = staticmethod(one_row)
    reads = "(signals, {channels}, length) or one such signal"

    def geometry(self, module: Any) -> ConvGeometry:
        """A kernel of one row."""
        return layer_geometry(
            named_layer(module), module.in_channels, module.out_channels, (1, *module.kernel_size),
            (1, *module.stride), (1, *module.dilation), (*numeric_pads(module), 0, 0), module.padding_mode,
            module.groups,
        )  # fmt: skip

    def images(self, given: Tensor) -> Tensor:
        """See :meth:`ConvolutionKind.images`."""
        return super().images(given).unsqueeze(2)

    def raised(self, layer: Any, output: Tensor, given: Tensor, *more: Any) -> Tensor:
        """See :meth:`ConvolutionKind.raised`."""
        return super().raised(layer, output.squeeze(2), given, *more)


class ReuseConv1d(ReuseConvolution, nn.Conv1d):
    """``nn.Conv1d`` that computes alike input vectors once, or in directions."""

    _mercuric_plain = nn.Conv1d


CONV1D = ReuseConv1d._mercuric_kind = Conv1dKind(ReuseConv1d)
