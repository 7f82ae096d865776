"""The products of a layer that shares, between alike vectors, what its principal directions leave out.

    y_i = U U^T W x_i + (I - U U^T) W c_g + b

where c_g is the mean of a few vectors of i's group: computed once for all of them. A vector that might be too
far off gets W x_i + b. The gradients are those of this function with the groups held fixed.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.pointwise import pointwise
from mercuric.reuse.directions.product import (
    Placement,
    adjoint,
    as_filters,
    as_rows,
    memory_format,
    thin_filters,
)
from mercuric.reuse.directions.residual.groups import Groups, sign_groups
from mercuric.reuse.directions.residual.guarantee import amplification, distances, over_bound
from mercuric.reuse.directions.residual.window_pixels import WindowPixels
from mercuric.reuse.precision import accurate
from mercuric.reuse.transforms import WithoutRules

SCRATCH_ELEMENTS = 1 << 22
"""Elements of gathered windows held at a time."""


def residual_convolution(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    directions: PrincipalDirections,
    placement: Placement,
    config: Directions,
) -> tuple[Tensor, Groups]:
    """A convolution whose vectors share their residuals by group; exact gradients of what was computed.

    Args:
        images: (N, C, H, W).
        weight: (filters, C, kernel height, kernel width).
        bias: (filters,) or None.
        directions: of the outputs without bias.
        placement: stride, padding with zeros, dilation.
        config: bits, members, and the largest error where it is guaranteed.

    Returns:
        (N, filters, H', W'), channels_last, and the groups of the N x H' x W' windows, in raster order.
    """
    found: tuple[Tensor, Tensor, Groups] = _Residual.apply(  # type: ignore[no-untyped-call]
        images, weight, bias, directions, placement, config
    )
    return found[0], found[2]


def reference_residual(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    directions: PrincipalDirections,
    placement: Placement,
    groups: Groups,
) -> Tensor:
    """What :func:`residual_convolution` computes, by definition; autograd differentiates it."""
    full = F.conv2d(images, weight, None, placement.stride, placement.padding, placement.dilation)
    outputs = full.permute(0, 2, 3, 1).flatten(0, 2)
    inside = groups.members >= 0
    chosen = outputs[groups.members.where(inside, 0)] * inside[..., None]
    shared = chosen.sum(1) / groups.counts[:, None]
    residual = shared - directions.project(shared)
    found = directions.project(outputs) + residual[groups.number]
    if bias is not None:
        found = found + bias
    return found.view(len(full), *full.shape[2:], -1).permute(0, 3, 1, 2)


class _Residual(WithoutRules):
    @staticmethod
    def forward(
        images: Tensor, weight: Tensor, bias: Tensor | None, directions: PrincipalDirections,
        placement: Placement, config: Directions,
    ) -> tuple[Tensor, Tensor, Groups]:  # fmt: skip
        basis, filters = directions.basis.to(weight.dtype), as_rows(weight)
        thin = thin_filters(weight, basis)
        z = F.conv2d(images, thin, None, placement.stride, placement.padding, placement.dilation)
        windows = WindowPixels.of(images, (weight.shape[2], weight.shape[3]), placement)
        groups = sign_groups(z, config.residual_bits or 0, config.members)
        shared: list[Tensor] = []
        kept: list[Tensor] = []
        for _, centres in _group_centres(windows, groups):
            shared.append(centres @ filters.T)
            if config.max_error is not None:
                kept.append(centres)
        # The rows are a view of the output, not the other way round: what is behind may change it in place.
        output = pointwise(z, basis).contiguous(memory_format=torch.channels_last)
        rows = output.permute(0, 2, 3, 1).view(-1, len(weight))
        rows += _outside(torch.cat(shared), basis)[groups.number]
        if config.max_error is not None:
            far = distances(windows, torch.cat(kept), groups.number)
            apart = over_bound(rows, far, amplification(weight, directions), config.max_error)
            groups = groups.without(apart)
            for alone in torch.split(apart.nonzero()[:, 0], _at_once(windows.length)):
                rows[alone] = windows.gather(alone) @ filters.T
        if bias is not None:
            rows += bias
        return output, thin, groups

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Groups]) -> None:
        images, weight, _, ctx.directions, ctx.placement, _ = inputs
        _, thin, ctx.groups = output
        ctx.mark_non_differentiable(thin)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(images, weight, thin)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
        if gradient is None:
            return None, None, None, None, None, None
        images, weight, thin = ctx.saved_tensors
        basis = ctx.directions.basis.to(weight.dtype)
        needs_images, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            found = reference_residual(images, weight, None, ctx.directions, ctx.placement, ctx.groups)
            wanted = [one for one, needed in ((images, needs_images), (weight, needs_weight)) if needed]
            again = iter(torch.autograd.grad(found, wanted, gradient, create_graph=True) if wanted else ())
            d_images, d_weight = (next(again) if needed else None for needed in (needs_images, needs_weight))
            return d_images, d_weight, gradient.sum((0, 2, 3)) if needs_bias else None, None, None, None
        dz = pointwise(gradient, basis.T)
        d_images, d_thin = adjoint(dz, images, thin, ctx.placement, needs_images, needs_weight)
        rows = accurate(gradient.permute(0, 2, 3, 1).reshape(-1, len(weight)))
        sums = rows.new_zeros(len(ctx.groups.members), len(weight)).index_add_(0, ctx.groups.number, rows)
        sums = sums.to(gradient.dtype)
        d_bias = sums.sum(0) if needs_bias else None
        sums = _outside(sums, basis)
        d_rows = None if d_thin is None else basis @ as_rows(d_thin)
        if d_rows is not None:
            windows = WindowPixels.of(images, (weight.shape[2], weight.shape[3]), ctx.placement)
            for part, centres in _group_centres(windows, ctx.groups):
                d_rows.addmm_(sums[part].T, centres)
        if d_images is not None:
            d_images = _with_centres(d_images, sums, weight, ctx.placement, ctx.groups)
        d_weight = None if d_rows is None else as_filters(d_rows, weight.shape)
        if d_weight is not None:
            d_weight = d_weight.contiguous(memory_format=memory_format(weight))
        return d_images, d_weight, d_bias, None, None, None


def _outside(rows: Tensor, basis: Tensor) -> Tensor:
    """What is left of rows (..., filters) without their part in the basis."""
    return rows - rows @ basis @ basis.T


def _group_centres(windows: WindowPixels, groups: Groups) -> Iterator[tuple[slice, Tensor]]:
    """Parts of the groups with the means of their members' windows, (part, kernel pixels x channels)."""
    for part, members in _parts(windows, groups):
        chosen = windows.gather(members.clamp(min=0)) * (members >= 0)[..., None]
        yield part, chosen.sum(1) / groups.counts[part, None]


def _with_centres(
    d_images: Tensor, sums: Tensor, weight: Tensor, placement: Placement, groups: Groups
) -> Tensor:
    """The images' gradient with that of the windows that stand for groups added."""
    windows = WindowPixels.of(d_images, (weight.shape[2], weight.shape[3]), placement)
    for part, members in _parts(windows, groups):
        rows = sums[part] @ as_rows(weight) / groups.counts[part, None]
        windows.add(members.clamp(min=0), rows[:, None] * (members >= 0)[..., None])
    return windows.unpadded()


def _parts(windows: WindowPixels, groups: Groups) -> Iterator[tuple[slice, Tensor]]:
    step = _at_once(windows.length * groups.members.shape[1])
    for first in range(0, len(groups.members), step):
        part = slice(first, first + step)
        yield part, groups.members[part]


def _at_once(elements: int) -> int:
    return max(1, SCRATCH_ELEMENTS // elements)
