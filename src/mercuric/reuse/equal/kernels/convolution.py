"""What is a convolution's result for each class of windows?"""

from typing import Any, Protocol

import torch
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.cpu import convolution
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled, are_gathered
from mercuric.reuse.equal.kernels.cpu.pairs import ADDED, Pairs
from mercuric.reuse.equal.kernels.differentiable import differentiable_gradients
from mercuric.reuse.equal.kernels.gpu.device import is_on_gpu
from mercuric.reuse.precision import HALF
from mercuric.reuse.transforms import WithoutRules


def class_convolution(
    rows: Tensor, weight: Tensor, bias: Tensor | None, members: Tensor, groups: int = 1
) -> Tensor:
    """A convolution's result for each class of windows.

    Args:
        rows: (R, C).
        weight: (M, C / groups, kernel rows, kernel columns), of the rows' dtype.
        bias: (M,) or None.
        members: int32, (U, T): the row at each tap, :data:`~mercuric.reuse.equal.kernels.OUTSIDE` for zeros.
        groups: of channels.

    Returns:
        (U, M), with exact gradients for rows, weight and bias.
    """
    kernels = _kernels(rows, members) if groups == 1 else None
    if kernels is not None:
        return convolution_by(kernels, rows, weight, bias, members)
    if rows.dtype in HALF:
        offsets = None if bias is None else bias.float()
        return class_convolution(rows.float(), weight.float(), offsets, members, groups).to(rows.dtype)
    if groups == 1 or not are_compiled(rows):
        return reference.class_convolution(rows, weight, bias, members, groups)
    if weight.shape[1] == 1:
        copies = rows.repeat_interleave(len(weight) // groups, 1)
        product: Tensor = _ChannelConvolution.apply(copies, weight, members)  # type: ignore[no-untyped-call]
    else:
        pairs = zip(rows.chunk(groups, 1), weight.chunk(groups), strict=True)
        product = torch.cat([class_convolution(own, filters, None, members) for own, filters in pairs], 1)
    return product if bias is None else product + bias


class Kernels(Protocol):
    """Convolutions of a device."""

    def convolve(self, rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:
        """rows (R, C) of members (U, T) times filters (M, T x C), plus a bias (M,): (U, M)."""

    def convolution_gradients(
        self, gradient: Tensor, rows: Tensor, filters: Tensor, members: Tensor, needed: tuple[bool, bool]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Of the rows and of the filters, of those that are ``needed``."""


def convolution_by(
    kernels: Kernels, rows: Tensor, weight: Tensor, bias: Tensor | None, members: Tensor
) -> Tensor:
    """:func:`class_convolution`, of one group, by kernels that have been chosen."""
    found: Tensor = _Convolution.apply(kernels, rows, weight, bias, members)  # type: ignore[no-untyped-call]
    return found


def _kernels(rows: Tensor, members: Tensor) -> Kernels | None:
    if are_gathered(rows):
        if members.shape[1] == 1 or rows.shape[1] <= ADDED:
            return convolution  # whatever pairs there are
        if rows.dtype in HALF:
            return convolution  # pairs' products would be rounded before they are added up
        pairs = Pairs.of(members, len(rows))
        return pairs if pairs.pay(rows.shape[1]) else convolution
    if is_on_gpu(rows):
        from mercuric.reuse.equal.kernels.gpu import convolution as on_gpu

        return on_gpu if rows.dtype in on_gpu.DTYPES else None
    return None


class _Convolution(WithoutRules):
    @staticmethod
    def forward(
        kernels: Kernels, rows: Tensor, weight: Tensor, bias: Tensor | None, members: Tensor
    ) -> Tensor:
        return kernels.convolve(rows, _filters(weight), bias, members)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.kernels, rows, weight, _, members = inputs
        ctx.save_for_backward(rows, weight, members)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, members = ctx.saved_tensors
        needed = ctx.needs_input_grad[1:3]
        d_bias = gradient.sum(0) if ctx.needs_input_grad[3] else None
        if torch.is_grad_enabled():
            found = differentiable_gradients(
                lambda rows, weight: reference.class_convolution(rows, weight, None, members),
                [rows, weight], needed, gradient,
            )  # fmt: skip
            return None, *found, d_bias, None
        d_rows, d_filters = ctx.kernels.convolution_gradients(
            gradient, rows, _filters(weight), members, needed
        )
        return None, d_rows, None if d_filters is None else _as_weight(d_filters, weight), d_bias, None


class _ChannelConvolution(WithoutRules):
    """Each channel with a filter of its own."""

    @staticmethod
    def forward(rows: Tensor, weight: Tensor, members: Tensor) -> Tensor:
        return convolution.convolve_channels(rows, weight.flatten(1).T, members)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, members = ctx.saved_tensors
        if torch.is_grad_enabled():
            found = differentiable_gradients(
                lambda rows, weight: reference.class_convolution(rows, weight, None, members, len(weight)),
                [rows, weight], ctx.needs_input_grad[:2], gradient,
            )  # fmt: skip
            return *found, None
        d_rows, d_factors = convolution.channel_gradients(gradient, rows, weight.flatten(1).T, members)
        return d_rows, d_factors.T.reshape(weight.shape), None


def _filters(weight: Tensor) -> Tensor:
    """In the order of gathered windows, (M, T x C)."""
    return weight.detach().permute(0, 2, 3, 1).reshape(len(weight), -1).contiguous()


def _as_weight(filters: Tensor, weight: Tensor) -> Tensor:
    count, channels, *kernel = weight.shape
    return filters.view(count, *kernel, channels).permute(0, 3, 1, 2)
