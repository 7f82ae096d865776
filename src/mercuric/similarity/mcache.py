"""Is a vector's signature known already? The MCACHE (paper III-B3, Fig. 9)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.similarity.mcache_compiled import access_compiled
from mercuric.similarity.mcache_tensor import access_tensor


@dataclass(frozen=True)
class MCache:
    """A set-associative cache of signatures without replacement, cleared at each scope.

    The set is the signature (its low word) mod the number of sets; the tag is the whole signature.

    Attributes:
        entries: cache lines over all sets; ``None`` keeps every signature (no set is ever full).
        ways: lines a set; 1 is a direct-mapped cache.

    Raises:
        ValueError: ``entries`` or ``ways`` is under 1, or ``entries`` is no multiple of ``ways``.
    """

    entries: int | None = 1024
    ways: int = 16

    def __post_init__(self) -> None:
        if self.ways < 1:
            raise ArgumentError(f"ways was {self.ways}, but a set has at least 1 way")
        if self.entries is not None and (self.entries < 1 or self.entries % self.ways):
            raise ArgumentError(
                f"entries was {self.entries}, but must be a positive multiple of ways ({self.ways}) or None"
            )

    @property
    def sets(self) -> int | None:
        """Number of sets; ``None`` for the unlimited cache."""
        return None if self.entries is None else self.entries // self.ways

    def access(self, signatures: Tensor, context: Tensor | None = None) -> Hitmap:
        """Look every signature up in vector order, inserting on a miss while its set has room.

        Args:
            signatures: int64, (scopes, vectors), or (scopes, vectors, 2) for more than 64 bits.
            context: int64, (scopes, vectors): vectors are alike only where this is equal as well (an
                attention row's mask); part of the tag, not of the set's index. A vector whose context is
                negative is like no other: neither looked up nor inserted (MNU).

        Returns:
            The Hitmap, on the signatures' device; equal to :meth:`reference_access`, bit for bit.

        Raises:
            ValueError: wrong shape or dtype.
        """
        tags = _tags(signatures, context)
        alone = None if context is None else context < 0
        if signatures.device.type == "cpu":
            return access_compiled(tags, self.sets, self.ways, alone)
        return access_tensor(tags, self.sets, self.ways, alone)

    def reference_access(self, signatures: Tensor, context: Tensor | None = None) -> Hitmap:
        """The definition: Fig. 9 of the paper, one signature after the other."""
        tags = _tags(signatures, context).tolist()
        alone = torch.zeros(signatures.shape[:2], dtype=torch.bool) if context is None else context < 0
        states, representatives = [], []
        for scope, lonely in zip(tags, alone.tolist(), strict=True):
            lines: dict[int, dict[object, int]] = {}
            for vector, tag in enumerate(scope):
                if lonely[vector]:
                    states.append(HitState.MNU)
                    representatives.append(vector)
                    continue
                low, key = (tag[0], tuple(tag)) if isinstance(tag, list) else (tag, tag)
                cache_set = lines.setdefault(0 if self.sets is None else low % self.sets, {})
                if key in cache_set:
                    states.append(HitState.HIT)
                    representatives.append(cache_set[key])
                    continue
                full = self.sets is not None and len(cache_set) == self.ways
                states.append(HitState.MNU if full else HitState.MAU)
                representatives.append(vector)
                if not full:
                    cache_set[key] = vector
        shape = signatures.shape[:2]
        return Hitmap(
            torch.tensor(states, dtype=torch.uint8, device=signatures.device).reshape(shape),
            torch.tensor(representatives, dtype=torch.int64, device=signatures.device).reshape(shape),
        )


def _tags(signatures: Tensor, context: Tensor | None) -> Tensor:
    """What entries are compared by: the signature's words, and the context as one more."""
    _check(signatures)
    if context is None:
        return signatures
    if context.dtype != torch.int64 or context.shape != signatures.shape[:2]:
        raise ArgumentError(
            f"context was {context.dtype} of shape {tuple(context.shape)}, but must be torch.int64 of shape "
            f"{tuple(signatures.shape[:2])} (scopes, vectors)"
        )
    words = signatures[..., None] if signatures.dim() == 2 else signatures
    return torch.cat([words, context[..., None]], dim=-1)


def _check(signatures: Tensor) -> None:
    if signatures.dtype != torch.int64:
        raise ArgumentError(f"signatures were {signatures.dtype}, but the MCACHE takes int64 words")
    two_words = signatures.dim() == 3 and signatures.shape[2] == 2
    if signatures.dim() != 2 and not two_words:
        raise ArgumentError(
            f"signatures had shape {tuple(signatures.shape)}, but must be (scopes, vectors) "
            "or (scopes, vectors, 2)"
        )
