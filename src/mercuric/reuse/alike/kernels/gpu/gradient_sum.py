"""What is the gradient of a result that many windows took?"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.compaction import Computed
from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel


def reference_sums(gradient: Tensor, computed: Computed) -> Tensor:
    """The definition of :func:`group_sums`, in plain PyTorch: deterministic where PyTorch has to be."""
    rows = gradient.new_zeros((len(gradient), gradient.shape[1]), dtype=torch.float32)
    return rows.index_add_(0, computed.rows, gradient.float())[: computed.capacity].to(gradient.dtype)


def group_sums(gradient: Tensor, computed: Computed) -> Tensor:
    """The sums of gradients over each group's windows.

    Adds by float32 atomics, in no fixed order: sorting windows by group first would be a pass over all
    of them, and one program would still have to add up the thousands of windows of a flat background.
    Where ``torch.use_deterministic_algorithms`` asks for it, PyTorch's own deterministic sum is taken.

    Args:
        gradient: (Q, filters), contiguous.
        computed: the groups.

    Returns:
        (capacity, filters) of the gradient's dtype; rows that no group has are 0 or of one window.
    """
    if torch.are_deterministic_algorithms_enabled():
        return reference_sums(gradient, computed)
    count, filters = gradient.shape
    sums = gradient.new_zeros((computed.capacity, filters), dtype=torch.float32)
    block, side = blocks(32, 8), blocks(128, 16)
    _add[(triton.cdiv(count, block), triton.cdiv(filters, side))](
        gradient, computed.rows, sums, count, filters, computed.capacity, BLOCK=block, BLOCK_FILTERS=side
    )
    return sums.to(gradient.dtype)


@kernel
def _add(
    gradient: tl.tensor, rows: tl.tensor, sums: tl.tensor, count: tl.tensor, filters: tl.tensor,
    capacity: tl.tensor,
    BLOCK: tl.constexpr, BLOCK_FILTERS: tl.constexpr,
) -> None:  # fmt: skip
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row = tl.load(rows + own, mask=own < count, other=capacity)
    f = tl.program_id(1) * BLOCK_FILTERS + tl.arange(0, BLOCK_FILTERS)
    wanted = (row < capacity)[:, None] & (f < filters)[None, :]
    values = tl.load(gradient + own.to(tl.int64)[:, None] * filters + f[None, :], mask=wanted, other=0.0)
    at = row.to(tl.int64)[:, None] * filters + f[None, :]
    tl.atomic_add(sums + at, values.to(tl.float32), mask=wanted, sem="relaxed")


@kernel
def load_gradient(
    sums: tl.tensor,
    gradient: tl.tensor,
    row: tl.tensor,
    window: tl.tensor,
    f: tl.tensor,
    shared: tl.tensor,
    used: tl.tensor,
    filters: tl.tensor,
) -> tl.tensor:
    """Gradients of rows, (rows, filters): a group's sum, or the one window's own."""
    known = (f < filters)[None, :]
    grouped = (row < shared)[:, None] & known
    single = ((row >= shared) & (row < used))[:, None] & known
    summed = tl.load(sums + row.to(tl.int64)[:, None] * filters + f[None, :], mask=grouped, other=0.0)
    own = tl.load(gradient + window.to(tl.int64)[:, None] * filters + f[None, :], mask=single, other=0.0)
    return tl.where(grouped, summed, own)
