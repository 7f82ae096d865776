"""The products of a layer of whose outputs only the principal part is computed.

    y = U U^T W x + b

is two thin products: z = x (U^T W)^T with as many filters as directions, then z U^T. The gradients
are those of this function: with dz = dy U the weight's is U dz^T x, the input's dz U^T W.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.pointwise import pointwise
from mercuric.reuse.transforms import WithoutRules


@dataclass(frozen=True)
class Placement:
    """Where a convolution's windows lie, each (down, across)."""

    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)


def projected_convolution(
    images: Tensor, weight: Tensor, bias: Tensor | None, directions: PrincipalDirections, placement: Placement
) -> Tensor:
    """A convolution's outputs in the given directions, with exact gradients of what was computed.

    Args:
        images: (N, C, H, W).
        weight: (filters, C, kernel height, kernel width).
        bias: (filters,) or None.
        directions: of the outputs without bias.
        placement: stride, padding with zeros, dilation.

    Returns:
        (N, filters, H', W'), in the memory format that PyTorch's convolution gives.
    """
    basis = directions.basis.to(weight.dtype)
    found: tuple[Tensor, Tensor] = _Projected.apply(  # type: ignore[no-untyped-call]
        images, weight, bias, basis, placement
    )
    return found[0]


def reference_convolution(
    images: Tensor, weight: Tensor, bias: Tensor | None, directions: PrincipalDirections, placement: Placement
) -> Tensor:
    """What :func:`projected_convolution` computes, by definition; autograd differentiates it."""
    full = F.conv2d(images, weight, None, placement.stride, placement.padding, placement.dilation)
    projected = directions.project(full.movedim(1, -1))
    return (projected if bias is None else projected + bias).movedim(-1, 1)


class _Projected(WithoutRules):
    @staticmethod
    def forward(
        images: Tensor, weight: Tensor, bias: Tensor | None, basis: Tensor, placement: Placement
    ) -> tuple[Tensor, Tensor]:
        thin = thin_filters(weight, basis)
        z = F.conv2d(images, thin, None, placement.stride, placement.padding, placement.dilation)
        return pointwise(z, basis, bias), thin

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        images, weight, _, basis, ctx.placement = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(images, weight, output[1], basis)
        ctx.weight_format = memory_format(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
        if gradient is None:
            return None, None, None, None, None
        images, weight, thin, basis = ctx.saved_tensors
        if torch.is_grad_enabled():  # who differentiates again needs to know what they were made of
            thin = thin_filters(weight, basis)
        needs_images, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        d_images = d_weight = None
        if needs_images or needs_weight:
            dz = pointwise(gradient, basis.T)
            d_images, d_thin = adjoint(dz, images, thin, ctx.placement, needs_images, needs_weight)
            if d_thin is not None:
                rows = basis @ as_rows(d_thin)
                d_weight = as_filters(rows, thin.shape).contiguous(memory_format=ctx.weight_format)
        d_bias = gradient.sum((0, 2, 3)) if needs_bias else None
        return d_images, d_weight, d_bias, None, None


def adjoint(
    dz: Tensor, images: Tensor, thin: Tensor, placement: Placement, needs_images: bool, needs_weight: bool
) -> tuple[Tensor | None, Tensor | None]:
    d_images, d_thin, _ = torch.ops.aten.convolution_backward(
        dz, images, thin, None,
        list(placement.stride), list(placement.padding), list(placement.dilation), False, [0, 0], 1,
        [needs_images, needs_weight, False],
    )  # fmt: skip
    return d_images, d_thin


def thin_filters(weight: Tensor, basis: Tensor) -> Tensor:
    rows = as_rows(weight)
    thin = pointwise(rows[None, :, None], basis.T.contiguous())
    return as_filters(thin.reshape(-1, rows.shape[1]), weight.shape)


def as_rows(filters: Tensor) -> Tensor:
    """Filters as rows, a pixel's channels side by side: a view where they are channels_last."""
    return filters.permute(0, 2, 3, 1).reshape(len(filters), -1)


def as_filters(rows: Tensor, shape: torch.Size) -> Tensor:
    _, channels, height, width = shape
    return rows.view(len(rows), height, width, channels).permute(0, 3, 1, 2)


def memory_format(weight: Tensor) -> torch.memory_format:
    if weight.is_contiguous() or not weight.is_contiguous(memory_format=torch.channels_last):
        return torch.contiguous_format
    return torch.channels_last
