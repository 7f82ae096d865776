"""Convolution and fully connected layers that reuse results."""

from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.detection import Detection, detect
from mercuric.reuse.functional import reuse_product
from mercuric.reuse.layer_reuse import LayerReuse
from mercuric.reuse.vectors import VectorShape, conv_vectors, group_channels, linear_vectors
from mercuric.reuse.windows import Windows, conv_windows, row_windows

Layer = TypeVar("Layer", bound=nn.Module)


class ReuseConv2d(nn.Conv2d):
    """``nn.Conv2d`` that computes alike input vectors once (paper III-C1).

    Takes every option of ``nn.Conv2d``; parameters and state_dict keys are its own.

    Args:
        reuse: how similarity is found; the paper's configuration by default.
    """

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reuse = LayerReuse("", reuse or ReuseConfig.paper())
        group_channels(self.reuse.config.granularity, self)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """Convolve (N, C, H, W) or (C, H, W).

        Raises:
            ValueError: another number of channels or dimensions, or an image smaller than the kernel.
        """
        if input.dim() not in (3, 4) or input.shape[-3] != self.in_channels:
            raise ValueError(
                f"input of layer {self.reuse.name!r} was {tuple(input.shape)}, but must be (images, "
                f"{self.in_channels}, height, width) or one such image"
            )
        images = input if input.dim() == 4 else input[None]
        padded = self._padded(images)
        config = self.reuse.config
        windows = conv_windows(padded, self)
        shape = conv_vectors(
            self, len(images), len(windows.starts) // max(1, len(images)), config.granularity, config.scope
        )
        if not self.reuse.on or not windows.starts.numel():
            self.reuse.tell(shape, None, input.requires_grad)
            return super().forward(input)
        detection = _detect(self.reuse, padded, windows, shape)
        weight = self.weight.reshape(self.groups, self.out_channels // self.groups, -1)
        product = reuse_product(padded, weight, self.bias, detection.source, windows)
        output = product.view(*windows.output, -1).permute(0, 3, 1, 2).contiguous()
        output = output if input.dim() == 4 else output[0]
        if self.reuse.wants_error:
            with torch.no_grad():
                self.reuse.measure_error(output, super().forward(input))
        self.reuse.tell(shape, detection, input.requires_grad)
        return output

    def _padded(self, images: Tensor) -> Tensor:
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        padded = F.pad(images, self._reversed_padding_repeated_twice, mode=mode).contiguous()
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if padded.shape[2] < spans[0] or padded.shape[3] < spans[1]:
            raise ValueError(
                f"input of layer {self.reuse.name!r} was {tuple(images.shape)}, but with its padding must be "
                f"at least {spans[0]} x {spans[1]}, the size of the kernel"
            )
        return padded


class ReuseLinear(nn.Linear):
    """``nn.Linear`` that computes alike input vectors of a minibatch once (paper III-C3).

    Args:
        reuse: how similarity is found; the paper's configuration by default.
    """

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reuse = LayerReuse("", reuse or ReuseConfig.paper())

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """Map (..., in_features) to (..., out_features).

        Raises:
            ValueError: another number of features.
        """
        if input.dim() < 1 or input.shape[-1] != self.in_features:
            raise ValueError(
                f"input of layer {self.reuse.name!r} was {tuple(input.shape)}, but its last dimension must "
                f"be {self.in_features}"
            )
        shape = linear_vectors(self, tuple(input.shape), self.reuse.config.scope)
        if not self.reuse.on or not input.numel():
            self.reuse.tell(shape, None, input.requires_grad)
            return super().forward(input)
        rows = input.contiguous()
        windows = row_windows(rows)
        detection = _detect(self.reuse, rows, windows, shape)
        product = reuse_product(rows, self.weight[None], self.bias, detection.source, windows)
        output = product.view(*windows.output, self.out_features)
        if self.reuse.wants_error:
            with torch.no_grad():
                self.reuse.measure_error(output, super().forward(input))
        self.reuse.tell(shape, detection, input.requires_grad)
        return output


def _detect(reuse: LayerReuse, padded: Tensor, windows: Windows, shape: VectorShape) -> Detection:
    projection = reuse.projection(shape.length, padded.device)
    return detect(padded.detach().view(-1), windows, shape, projection, reuse.config)


def with_reuse(dense: nn.Module, name: str, config: ReuseConfig) -> ReuseConv2d | ReuseLinear:
    """A reuse layer that shares the parameters, buffers and hooks of a dense one.

    Raises:
        ValueError: the configuration does not fit the layer.
    """
    layer: ReuseConv2d | ReuseLinear
    if isinstance(dense, nn.Conv2d):
        group_channels(config.granularity, dense)
        layer = _adopt(ReuseConv2d, dense)
    else:
        layer = _adopt(ReuseLinear, dense)
    layer.reuse = LayerReuse(name, config)
    return layer


def without_reuse(layer: ReuseConv2d | ReuseLinear) -> nn.Conv2d | nn.Linear:
    """The plain layer again; it shares the parameters, buffers and hooks of the reuse layer."""
    dense: nn.Conv2d | nn.Linear
    dense = _adopt(nn.Conv2d, layer) if isinstance(layer, ReuseConv2d) else _adopt(nn.Linear, layer)
    dense.__dict__.pop("reuse")
    return dense


def _adopt(kind: type[Layer], other: nn.Module) -> Layer:
    # Shared, not copied: what is registered on either later holds for both.
    layer = kind.__new__(kind)
    layer.__dict__.update(other.__dict__)
    return layer
