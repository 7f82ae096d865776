"""Which vector came first with each signature? The unlimited MCACHE, as a product needs its answer."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.threads import over_chunks


@dataclass(frozen=True)
class FirstCome:
    """Who is whose representative, with vectors numbered over all scopes.

    Attributes:
        source: int64, (scopes x vectors,): each vector's representative.
        rank: int64, (scopes x vectors,): which of the representatives that is.
        kept: int64, (representatives,): the representatives, ascending.
    """

    source: Tensor
    rank: Tensor
    kept: Tensor


def first_come(signatures: Tensor, scopes: int, finite: Tensor | None = None) -> FirstCome:
    """``MCache(entries=None).access``, in one pass over an open-addressing table a scope.

    Args:
        signatures: int64, (scopes x vectors, words), scope after scope; one or two words.
        scopes: how often the table is cleared.
        finite: bool, (scopes x vectors,): which vectors may be like others; None for all.

    Raises:
        ValueError: signatures of another shape or dtype, or scopes that don't divide them.
    """
    shape = tuple(signatures.shape)
    if signatures.dtype != torch.int64 or len(shape) != 2 or shape[1] not in (1, 2):
        raise ArgumentError(
            f"signatures was {signatures.dtype} of shape {shape}, but must be torch.int64 of shape (vectors, "
            "words), of 1 or 2 words"
        )
    count = len(signatures)
    if scopes < 1 or count % scopes:
        raise ArgumentError(f"scopes was {scopes}, but must be at least 1 and divide the {count} vectors")
    source, rank, kept = (np.empty(count, dtype=np.int64) for _ in range(3))
    comparable = np.empty(0, dtype=np.bool_) if finite is None else finite.contiguous().numpy()
    over_chunks(_find, scopes, signatures.contiguous().numpy(), comparable, count // scopes, source)
    found = _number(source, rank, kept)
    return FirstCome(torch.from_numpy(source), torch.from_numpy(rank), torch.from_numpy(kept[:found]))


@njit(nogil=True, cache=True)
def _find(
    first: int,
    last: int,
    signatures: NDArray[np.int64],
    finite: NDArray[np.bool_],
    vectors: int,
    source: NDArray[np.int64],
) -> None:
    slots = 1
    while slots < 2 * vectors:
        slots *= 2
    owner = np.empty(slots, dtype=np.int64)
    words = signatures.shape[1]
    for scope in range(first, last):
        owner[:] = -1
        for vector in range(scope * vectors, (scope + 1) * vectors):
            if len(finite) and not finite[vector]:
                source[vector] = vector
                continue
            low = signatures[vector, 0]
            high = signatures[vector, 1] if words > 1 else np.int64(0)
            mixed = (low ^ (high * np.int64(0x2545F4914F6CDD1D))) * np.int64(0x1E3779B97F4A7C15)
            slot = (mixed ^ (mixed >> 31)) & (slots - 1)
            known = owner[slot]
            while known >= 0 and (
                signatures[known, 0] != low or (words > 1 and signatures[known, 1] != high)
            ):
                slot = (slot + 1) & (slots - 1)
                known = owner[slot]
            if known < 0:
                owner[slot] = known = vector
            source[vector] = known


@njit(nogil=True, cache=True)
def _number(source: NDArray[np.int64], rank: NDArray[np.int64], kept: NDArray[np.int64]) -> int:
    found = 0
    for vector in range(len(source)):
        if source[vector] == vector:
            kept[found] = vector
            rank[vector] = found
            found += 1
        else:
            rank[vector] = rank[source[vector]]
    return found
