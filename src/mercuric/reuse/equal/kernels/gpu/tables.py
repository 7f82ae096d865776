"""Which vectors have equal bits, on a GPU? The table of MERCURY's signatures, of whole vectors."""

import torch
from torch import Tensor

from mercuric.reuse.alike.kernels.gpu.table import first_alike
from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.class_table import ClassTable

MOST_WORDS = 64
"""Of a vector: the kernel is unrolled over them."""
MOST_VECTORS = 1 << 29
"""Slots are numbered in int32."""
_WORD = 8


def vector_classes(vectors: Tensor, most: int | None = None, scope: int = 0) -> ClassTable | None:
    """See :func:`mercuric.reuse.equal.kernels.reference.vector_classes`."""
    count, words = len(vectors), _words(vectors)
    if not 0 < count <= MOST_VECTORS or words.shape[1] > MOST_WORDS:
        return reference.vector_classes(vectors, most, scope)
    every = torch.ones(count, dtype=torch.bool, device=vectors.device)
    source = first_alike(words, every, count // scope if scope else 1).long()
    own = source == torch.arange(count, device=vectors.device)
    first = own.nonzero().flatten()
    if most is not None and len(first) > most:
        return None
    ids = (own.cumsum(0) - 1)[source].int()
    members = vectors[first] if vectors.dtype == torch.int32 else ids.new_empty(len(first), 0)
    return ClassTable(ids, members, first)


def _words(vectors: Tensor) -> Tensor:
    """int64, (vectors, words), of vectors (vectors, length): their bits, and zeros to the last word's end."""
    length = vectors.shape[1] * vectors.element_size()
    size = max(1, (length + _WORD - 1) // _WORD) * _WORD
    whole = torch.zeros(len(vectors), size, dtype=torch.uint8, device=vectors.device)
    whole[:, :length] = _as_bytes(vectors)
    return whole.view(torch.int64)


def _as_bytes(vectors: Tensor) -> Tensor:
    values = vectors.detach().resolve_neg().contiguous()
    lined_up = values.as_strided(values.shape, (values.shape[1], 1))  # as no dimension of 1 element must have
    return lined_up.view(torch.uint8)
