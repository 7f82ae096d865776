"""How does a convolution reuse results?"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.detection import Detection, detect
from mercuric.reuse.alike.gradient import ImageGradient, Saved, attach, hand_back
from mercuric.reuse.alike.patches import convolve_patches, reuses_patches
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.config import ReuseConfig, as_config
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.method import method_of
from mercuric.reuse.precision import autocast, left_to_torch, refuse_complex, require_tensors
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.transforms import meet, see
from mercuric.reuse.vectors import VectorShape, conv_vectors
from mercuric.reuse.windows import Windows, conv_windows
from mercuric.similarity.window_grid import WindowGrid


class ReuseConv2d(ReuseLayer, nn.Conv2d):
    """``nn.Conv2d`` that computes alike input vectors once (paper III-C1, III-C2).

    Takes every option of ``nn.Conv2d``; parameters and state_dict keys are its own.

    Args:
        reuse: how similarity is found; :class:`ReuseConfig` by default.
    """

    _mercuric_plain = nn.Conv2d

    def __init__(self, *args: Any, reuse: ReuseConfig | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mercuric = conv_reuse(self, "", as_config(reuse))

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """Convolve (N, C, H, W) or (C, H, W).

        What PyTorch refuses raises PyTorch's error, and an empty batch gives what it gives there.

        Raises:
            ValueError: another number of channels or dimensions, an image smaller than the kernel, or
                complex filters.
        """
        self._mercuric.ran = True
        # What derives the weight may differ from one time to the next.
        with parametrize.cached() if parametrize.is_parametrized(self) else nullcontext():
            return self._computed(input)

    def _computed(self, input: Tensor) -> Tensor:  # noqa: A002
        state = self._mercuric
        if state.on:
            self._check(input)
        return method_of(state.config).convolve(self, input)

    def reused(self, input: Tensor) -> Tensor:  # noqa: A002
        """The layer's pass by similarity, or dense while it is off."""
        if not self._mercuric.on:
            return self._dense(input)
        if left_to_torch(input, self.weight, self.bias):
            return super().forward(input)
        output = self._convolve(input if input.dim() == 4 else input.unsqueeze(0))
        return output if input.dim() == 4 else output.squeeze(0)

    def _check(self, input: Tensor) -> None:  # noqa: A002
        require_tensors(self._mercuric.name, input=input)
        refuse_complex(self._mercuric.name, self.weight, self.bias)
        if input.dim() not in (3, 4) or input.shape[-3] != self.in_channels:
            raise ArgumentError(
                f"input of layer {self._mercuric.name!r} was {tuple(input.shape)}, but must be (images, "
                f"{self.in_channels}, height, width) or one such image"
            )

    def _dense(self, input: Tensor) -> Tensor:  # noqa: A002
        output = super().forward(input)
        if input.numel():
            images = input if input.dim() == 4 else input.unsqueeze(0)
            self._mercuric.tell(self._vectors(images, self.pads), None, input.requires_grad)
        return output

    def _vectors(self, images: Tensor, pads: Sequence[int] = (0, 0, 0, 0)) -> VectorShape:
        count, _, *sides = images.shape
        grid = WindowGrid.of(count, sides, self.kernel_size, self.stride, self.dilation, pads)
        config = self._mercuric.config
        return conv_vectors(self, count, grid.windows // count, config.granularity, config.scope)

    def _convolve(self, images: Tensor) -> Tensor:
        state = self._mercuric
        needs_gradient = images.requires_grad
        meet(state.name, images, self.weight, self.bias)
        x, weight, bias = autocast(images), autocast(self.weight), autocast(self.bias)
        if reuses_patches(state, x, self.groups):
            return self._reuse_patches(images, x, weight, bias)
        padded = self.padded(x)

        def find(numbers: Tensor, *_: Tensor) -> tuple[Detection, VectorShape, Windows]:
            windows = conv_windows(numbers, self)
            shape = self._vectors(numbers)
            projection = state.projection(shape.length, numbers.device, len(windows.taps))
            return detect(numbers.view(-1), windows, shape, projection, state.config), shape, windows

        detection, shape, windows = see(state.name, find, padded, weight, bias)
        filters = weight.reshape(self.groups, self.out_channels // self.groups, -1)
        own_gradient = state.own_gradient and torch.is_grad_enabled() and needs_gradient
        product = reuse_product(padded, filters, bias, detection.source, windows, to_input=not own_gradient)
        output = _like(images, product.view(*windows.output, -1).permute(0, 3, 1, 2))
        if state.own_gradient and (self.padding_mode == "zeros" or not any(self.pads)):
            hand_back(images, self._saved(detection, shape))
        if own_gradient:
            output = self._with_own_gradient(output, x, padded, weight)
        dense = super().forward
        state.conclude(
            output, lambda: dense(images), shape, lambda: detection, needs_gradient and not own_gradient
        )
        return output

    def _reuse_patches(self, images: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        zeros = self.padding_mode == "zeros"
        pads = self.pads if zeros else [0, 0, 0, 0]
        if zeros:
            self.check_size(x)
        dense = super().forward
        output = convolve_patches(
            self, x if zeros else self.padded(x), pads, weight, bias, self._mercuric, lambda: dense(images)
        )
        return _like(images, output)

    @property
    def pads(self) -> list[int]:
        """Padding left, right, above and below, as ``F.pad`` takes it."""
        if self.padding_mode == "zeros" and not isinstance(self.padding, str):
            # nn.Conv2d reads its attribute, which may have been set since it was made.
            above, left = self.padding
            return [left, left, above, above]
        return list(self._reversed_padding_repeated_twice)

    def _with_own_gradient(self, output: Tensor, x: Tensor, padded: Tensor, weight: Tensor) -> Tensor:
        if self.padding_mode == "zeros":
            pads = self.pads
            product = ImageGradient(self._mercuric, self, tuple(output.shape), tuple(padded.shape), pads)
            return attach(output, x, weight, product)
        product = ImageGradient(self._mercuric, self, tuple(output.shape), tuple(padded.shape), [0, 0, 0, 0])
        return attach(output, padded, weight, product)

    def _saved(self, detection: Detection, shape: VectorShape) -> Saved:
        pads = self.pads
        placement = (*self.kernel_size, *self.dilation, *self.stride, pads[2], pads[0])
        return Saved(detection, (shape.scopes, shape.vectors, shape.length), placement)

    def padded(self, images: Tensor) -> Tensor:
        """The images with the padding, of whatever mode, around them.

        Raises:
            ValueError: they are smaller than the kernel.
        """
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        padded = F.pad(images, self.pads, mode=mode).contiguous()
        self.check_size(images)
        return padded

    def check_size(self, images: Tensor) -> None:
        """Refuse images that are smaller than the kernel, with their padding."""
        left, right, above, below = self.pads
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if images.shape[-2] + above + below < spans[0] or images.shape[-1] + left + right < spans[1]:
            raise ArgumentError(
                f"input of layer {self._mercuric.name!r} was {tuple(images.shape)}, but with its padding "
                f"must be at least {spans[0]} x {spans[1]}, the size of the kernel"
            )


def _like(images: Tensor, output: Tensor) -> Tensor:
    """``output``, channels_last where ``images`` are that and not contiguous as well."""
    if images.is_contiguous() or not images.is_contiguous(memory_format=torch.channels_last):
        return output.contiguous()
    return output


def conv_reuse(conv: nn.Conv2d, name: str, config: ReuseConfig) -> LayerReuse:
    """The state of ``conv`` with reuse.

    Raises:
        ValueError: the configuration does not fit the layer.
    """
    return method_of(config).layer(conv, name, config, "conv", conv.out_channels // conv.groups)
