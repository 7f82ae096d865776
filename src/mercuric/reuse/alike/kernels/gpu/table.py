"""Which vector had each signature first?

An open-addressing table of vector numbers, filled by compare-and-swap: a slot belongs to the signature
of the vector whose number it holds. Signatures stay where they are, so no program reads what another
may be writing half of. The number in a slot only falls, so that the first vector stays in it whatever
order the programs ran in.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.launch import blocks, kernel
from mercuric.similarity import MCache

EMPTY = tl.constexpr(2**31 - 1)
NEVER = tl.constexpr(-2)


def reference_representatives(signatures: Tensor, finite: Tensor, scopes: int) -> Tensor:
    """The definition of :func:`first_alike`: the unlimited MCACHE, one vector after the other."""
    own = torch.arange(len(signatures), device=signatures.device)
    context = (finite.long() - 1).view(scopes, -1)
    words = signatures.view(scopes, -1, signatures.shape[1]).squeeze(-1)
    found = MCache(None).reference_access(words, context)
    first = torch.arange(scopes, device=own.device)[:, None] * context.shape[1]
    return (found.representatives + first).view(-1).int()


def first_alike(signatures: Tensor, finite: Tensor, scopes: int) -> Tensor:
    """The first vector of the same scope and signature as each vector.

    Args:
        signatures: int64, (scopes x vectors, words), contiguous.
        finite: bool, (scopes x vectors,): which vectors may be like others.
        scopes: how often the table is cleared.

    Returns:
        int32, (scopes x vectors,), numbered over all scopes.
    """
    count, words = signatures.shape
    slots = triton.next_power_of_2(2 * count)
    block = blocks(128, 8)
    table = signatures.new_full((slots + block,), EMPTY.value, dtype=torch.int32)
    taken = signatures.new_empty((count,), dtype=torch.int32)
    found = torch.empty_like(taken)
    programs = (triton.cdiv(count, block),)
    _insert[programs](
        signatures, finite, table, taken, count, count // scopes, slots, WORDS=words, BLOCK=block
    )
    _look_up[programs](table, taken, found, count, BLOCK=block)
    return found


@kernel
def _insert(
    signatures: tl.tensor, finite: tl.tensor, table: tl.tensor, taken: tl.tensor, count: tl.tensor,
    vectors: tl.tensor, slots: tl.tensor,
    WORDS: tl.constexpr, BLOCK: tl.constexpr,
) -> None:  # fmt: skip
    lane = tl.arange(0, BLOCK)
    own = tl.program_id(0) * BLOCK + lane
    searching = tl.load(finite + own, mask=own < count, other=0) != 0
    tl.store(taken + own, -1, mask=(own < count) & (searching == 0))
    slot = _hash(signatures, own, searching, vectors, WORDS) & (slots - 1)
    while tl.max(searching.to(tl.int32), axis=0) > 0:
        # A compare-and-swap has no mask: a lane that needs none asks a slot of its own for a number
        # that is never there. Reading first spares a queue at a signature that thousands share.
        holder = tl.load(table + slot, mask=searching, other=0, volatile=True)
        claims = searching & (holder == EMPTY)
        place = tl.where(claims, slot, slots + lane)
        asked = tl.atomic_cas(table + place, tl.where(claims, EMPTY, NEVER), own, sem="relaxed")
        holder = tl.where(claims, asked, holder)
        mine = claims & (holder == EMPTY)
        alike = searching & (holder != EMPTY) & (holder // vectors == own // vectors)
        for word in tl.static_range(WORDS):
            known = tl.load(signatures + holder.to(tl.int64) * WORDS + word, mask=alike, other=0)
            asking = tl.load(signatures + own.to(tl.int64) * WORDS + word, mask=alike, other=0)
            alike = alike & (known == asking)
        tl.atomic_min(table + slot, own, mask=alike & (own < holder), sem="relaxed")
        tl.store(taken + own, slot, mask=mine | alike)
        searching = searching & ((mine | alike) == 0)
        slot = tl.where(searching, (slot + 1) & (slots - 1), slot)


@kernel
def _hash(
    signatures: tl.tensor, own: tl.tensor, exists: tl.tensor, vectors: tl.tensor, WORDS: tl.constexpr
) -> tl.tensor:
    mixed = (own // vectors).to(tl.int64) * 1048583
    for word in tl.static_range(WORDS):
        mixed ^= tl.load(signatures + own.to(tl.int64) * WORDS + word, mask=exists, other=0)
        mixed = (mixed ^ (mixed >> 31)) * 0x1B03738712FAD5C9
        mixed = (mixed ^ (mixed >> 29)) * 0x2545F4914F6CDD1D
    return ((mixed >> 32) & 0x7FFFFFFF).to(tl.int32)


@kernel
def _look_up(
    table: tl.tensor, taken: tl.tensor, found: tl.tensor, count: tl.tensor, BLOCK: tl.constexpr
) -> None:
    own = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    slot = tl.load(taken + own, mask=own < count, other=-1)
    first = tl.load(table + slot, mask=slot >= 0, other=0)
    tl.store(found + own, tl.where(slot >= 0, first, own), mask=own < count)
