"""Which windows are computed, in which row?"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel


@dataclass(frozen=True)
class Computed:
    """The windows whose products are computed, in dense rows; nothing here was read by the host.

    The first windows of at most ``capacity`` groups come first, in vector order; vectors of later
    groups follow, each in a row of its own, as the MCACHE computes what it has no room for (MNU).

    Attributes:
        source: int32, (Q,): the window whose result each window takes.
        windows: int32, (Q,): the window in each row; zeros after the last.
        rows: int32, (Q,): the row of each window's source.
        count: int32, (1,): rows in use.
        shared: int32, (1,): rows of groups; those behind belong to one window each.
        capacity: groups at most, and no more than there are windows.
    """

    source: Tensor
    windows: Tensor
    rows: Tensor
    count: Tensor
    shared: Tensor
    capacity: int


def reference_compaction(representatives: Tensor, capacity: int) -> Computed:
    """The definition of :func:`compact`, in plain PyTorch."""
    capacity = min(capacity, len(representatives))
    own = torch.arange(len(representatives), device=representatives.device)
    first = representatives == own
    rank = first.cumsum(0)
    source = torch.where(rank[representatives.long()] > capacity, own, representatives)
    row = (source == own).cumsum(0)
    computed = own[source == own]
    windows = torch.nn.functional.pad(computed, (0, len(own) - len(computed)))
    count, shared = row[-1:], rank[-1:].clamp(max=capacity)
    rows = row[source.long()] - 1
    return Computed(source.int(), windows.int(), rows.int(), count.int(), shared.int(), capacity)


def compact(representatives: Tensor, capacity: int) -> Computed:
    """Rows for the representatives, and for what is beyond the capacity.

    Args:
        representatives: int32, (Q,): the first window alike to each; at least one.
        capacity: groups that have rows.

    Raises:
        ValueError: the capacity is under 1.
    """
    if capacity < 1:
        raise ArgumentError(f"capacity was {capacity}, but must be at least 1 group of alike windows")
    count = len(representatives)
    capacity = min(capacity, count)
    block = blocks(256, 16)
    programs = (triton.cdiv(count, block),)
    flags = torch.empty_like(representatives)
    _mark_first[programs](representatives, flags, count, BLOCK=block)
    rank = flags.cumsum(0, dtype=torch.int32)
    source = torch.empty_like(representatives)
    _choose[programs](representatives, rank, source, flags, count, capacity, BLOCK=block)
    row = flags.cumsum(0, dtype=torch.int32)
    windows, rows = torch.zeros_like(source), torch.empty_like(source)
    _place[programs](source, row, windows, rows, count, BLOCK=block)
    return Computed(source, windows, rows, row[-1:], rank[-1:].clamp(max=capacity), capacity)


@kernel
def _mark_first(representatives: tl.tensor, flags: tl.tensor, count: tl.tensor, BLOCK: tl.constexpr) -> None:
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    first = tl.load(representatives + own, mask=own < count, other=-1) == own
    tl.store(flags + own, first.to(tl.int32), mask=own < count)


@kernel
def _choose(
    representatives: tl.tensor,
    rank: tl.tensor,
    source: tl.tensor,
    flags: tl.tensor,
    count: tl.tensor,
    capacity: tl.tensor,
    BLOCK: tl.constexpr,
) -> None:
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = own < count
    first = tl.load(representatives + own, mask=exists, other=0)
    beyond = tl.load(rank + first, mask=exists, other=0) > capacity
    chosen = tl.where(beyond, own, first)
    tl.store(source + own, chosen, mask=exists)
    tl.store(flags + own, (chosen == own).to(tl.int32), mask=exists)


@kernel
def _place(
    source: tl.tensor,
    row: tl.tensor,
    windows: tl.tensor,
    rows: tl.tensor,
    count: tl.tensor,
    BLOCK: tl.constexpr,
) -> None:
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = own < count
    chosen = tl.load(source + own, mask=exists, other=0)
    at = tl.load(row + chosen, mask=exists, other=1) - 1
    tl.store(rows + own, at, mask=exists)
    tl.store(windows + at, own, mask=exists & (chosen == own))
