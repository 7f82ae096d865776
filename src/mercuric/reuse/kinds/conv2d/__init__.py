"""How does ``nn.Conv2d`` compute by a method? (paper III-C1, III-C2)"""

from typing import Any

from torch import nn

from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.kinds.convolution import (
    ConvolutionKind,
    ReuseConvolution,
    layer_geometry,
    named_layer,
    numeric_pads,
)


class Conv2dKind(ConvolutionKind):
    """Images as they are."""

    plain = nn.Conv2d
    batched = 4
    reads = "(images, {channels}, height, width) or one such image"

    def geometry(self, module: Any) -> ConvGeometry:
        """See :meth:`ConvolutionKind.geometry`."""
        return layer_geometry(
            named_layer(module), module.in_channels, module.out_channels, tuple(module.kernel_size),
            tuple(module.stride), tuple(module.dilation), numeric_pads(module), module.padding_mode,
            module.groups,
        )  # fmt: skip


class ReuseConv2d(ReuseConvolution, nn.Conv2d):
    """``nn.Conv2d`` that computes alike input vectors once (paper III-C1, III-C2), or in directions."""

    _mercuric_plain = nn.Conv2d


CONV2D = ReuseConv2d._mercuric_kind = Conv2dKind(ReuseConv2d)
