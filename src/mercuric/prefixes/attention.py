"""How is the attention of a tree computed without the products between its branches?

Each part of a plan is a call of PyTorch's own blocked kernel. Softmax over the parts is put together by their
logarithms of sums, and the kernel's backward takes the whole's output and sum for each part: both are exact,
as in Jin et al. (Cascade inference, 2024) and in ring attention (Liu et al., 2023).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mercuric.prefixes.plan import AttentionPlan, Triangles

_KERNEL = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def tree_attention(
    query: Tensor, key: Tensor, value: Tensor, plan: AttentionPlan, scale: float | None = None
) -> Tensor:
    """Attention of a tree's nodes to their ancestors and themselves, on a CPU.

    Args:
        query: (1, heads, nodes, features).
        key: as the queries.
        value: as the queries.
        plan: of the tree.
        scale: of the products; one over the root of the features by default.

    Returns:
        (1, heads, nodes, features); zero where a node attends to nothing, as PyTorch's attention has it.
    """
    if torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        query, key, value = query.to(kind), key.to(kind), value.to(kind)
    output: Tensor = _TreeAttention.apply(query, key, value, plan, scale)  # type: ignore[no-untyped-call]
    return output


class _TreeAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: AttentionPlan, scale: float | None
    ) -> Tensor:
        _, heads, nodes, features = query.shape
        sums = query.new_empty(1, heads, nodes, dtype=torch.promote_types(query.dtype, torch.float32))
        output = query.new_empty(1, nodes, heads, features, dtype=sums.dtype).transpose(1, 2)
        if not plan.whole:
            output.zero_()
            sums.fill_(-torch.inf)
        for triangles in plan.triangles:
            parts = [_folded(one, triangles) for one in (query, key, value)]
            found, total = _KERNEL(*parts, 0.0, True, scale=scale)
            _folded(output, triangles).copy_(found)
            _folded(sums, triangles).copy_(total)
        for start, stop, mask in plan.patches:
            parts = [one[:, :, start:stop] for one in (query, key, value)]
            found, total = _KERNEL(*parts, 0.0, False, attn_mask=_additive(mask, query), scale=scale)
            output[:, :, start:stop] = found
            sums[:, :, start:stop] = total
        for first, last, start, stop in plan.rectangles:
            keys = (key[:, :, start:stop], value[:, :, start:stop])
            found, total = _KERNEL(query[:, :, first:last], *keys, 0.0, False, scale=scale)
            before = sums[:, :, first:last]
            both = torch.logaddexp(before, total)
            output[:, :, first:last].mul_((before - both).exp_().unsqueeze(-1)).addcmul_(
                found.to(output.dtype), total.sub_(both).exp_().unsqueeze(-1)
            )
            before.copy_(both)
        output = output.to(query.dtype)
        ctx.save_for_backward(query, key, value, output, sums)
        ctx.plan, ctx.scale = plan, scale
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        *saved, sums = ctx.saved_tensors
        plan, scale, dtype = ctx.plan, ctx.scale, gradient.dtype
        # In 16 bits the kernel's backward is slower, up to eight times in short sequences, and less exact.
        gradient, query, key, value, output = (one.to(sums.dtype) for one in (gradient, *saved))
        make = torch.empty_like if plan.whole else torch.zeros_like
        grads = [make(one) for one in (query, key, value)]
        for triangles in plan.triangles:
            given = (gradient, query, key, value, output, sums)
            parts = [_folded(one, triangles) for one in given]
            found = _BACKWARD(*parts, 0.0, True, scale=scale)
            for grad, one in zip(grads, found, strict=True):
                _folded(grad, triangles).copy_(one)
        for start, stop, mask in plan.patches:
            parts = [one[:, :, start:stop] for one in (gradient, query, key, value, output, sums)]
            found = _BACKWARD(*parts, 0.0, False, attn_mask=_additive(mask, query), scale=scale)
            for grad, one in zip(grads, found, strict=True):
                grad[:, :, start:stop] = one
        for first, last, start, stop in plan.rectangles:
            asked, kept = slice(first, last), slice(start, stop)
            found = _BACKWARD(
                gradient[:, :, asked], query[:, :, asked], key[:, :, kept], value[:, :, kept],
                output[:, :, asked], sums[:, :, asked], 0.0, False, scale=scale,
            )  # fmt: skip
            for grad, one, place in zip(grads, found, (asked, kept, kept), strict=True):
                grad[:, :, place] += one
        return *(grad.to(dtype) for grad in grads), None, None


def _folded(one: Tensor, triangles: Triangles) -> Tensor:
    """(1, heads, nodes, ...) as (count, heads, length, ...), a view."""
    start, length, count = triangles
    taken = one[0, :, start : start + length * count]
    return taken.view(len(taken), count, length, *taken.shape[2:]).transpose(0, 1)


def _additive(mask: Any, query: Tensor) -> Tensor:
    kept = torch.from_numpy(mask)
    return torch.zeros(kept.shape, dtype=query.dtype).masked_fill_(~kept, -torch.inf)[None, None]
