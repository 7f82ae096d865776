"""Which bits describe an input vector, if a Bloom filter is asked? The rival of RPQ (paper II-A, Fig. 3)."""

import torch
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.rpq import check_bits, pack

# The odd constants of the golden ratio and of a 64-bit finaliser, as signed integers.
_LEVEL = -7046029254386353131
_PLACE = -2960836687051489901
_FIRST_FACTOR = -4658895280553007687
_SECOND_FACTOR = -7723592293110705685
_LARGEST_LEVEL = 2.0**62


def bloom_signatures(vectors: Tensor, bits: int, step: float = 0.5, hashes: int = 1, seed: int = 0) -> Tensor:
    """A Bloom filter of ``bits`` bits a vector, used as its signature.

    The paper compares RPQ with "Bloom Filter" (its references [6], [7]) and leaves the construction
    open. Here a vector is the set of its (position, level) pairs, where the level is the element
    rounded to a multiple of ``step``; each pair sets ``hashes`` bits of an empty filter, as [7] makes
    signatures of address sets. Vectors with equal filters are taken to be alike.

    Args:
        vectors: (..., m), any floating dtype.
        bits: length of the filter, 1 to 128.
        step: width of a level, in the elements' unit.
        hashes: bits that each element sets, at least 1.
        seed: what the hash functions are drawn from.

    Returns:
        int64, (...) for up to 64 bits, else (..., 2), packed as RPQ signatures are.

    Raises:
        ValueError: ``bits``, ``step`` or ``hashes`` is out of range, or ``vectors`` are not of finite
            floating-point numbers.
    """
    check_bits(bits)
    levels = _levels(vectors, step)
    if isinstance(hashes, bool) or not isinstance(hashes, int) or hashes < 1:
        raise ArgumentError(f"hashes was {hashes!r}, but each element sets at least 1 bit")
    length = vectors.shape[-1]
    places = torch.arange(length * hashes, device=vectors.device).view(length, hashes) + 1
    keys = levels[..., None] * _LEVEL + (places + seed * (1 << 20)) * _PLACE
    chosen = _mixed(keys).remainder(bits).flatten(-2)
    filters = torch.zeros(*vectors.shape[:-1], bits, dtype=torch.bool, device=vectors.device)
    return pack(filters.scatter_(-1, chosen, value=True))


def _levels(vectors: Tensor, step: float) -> Tensor:
    if not vectors.is_floating_point() or vectors.dim() < 1:
        raise ArgumentError(
            f"vectors were {vectors.dtype} of shape {tuple(vectors.shape)}, but must be (..., m) of "
            "floating-point numbers"
        )
    if not step > 0:
        raise ArgumentError(f"step was {step}, but a level must have a positive width")
    levels = (vectors.to(torch.float64) / step).round()
    if not bool((levels.abs() < _LARGEST_LEVEL).all()):
        raise ArgumentError(f"vectors held a number that is not finite, or too large for levels of {step}")
    return levels.to(torch.int64)


def _mixed(keys: Tensor) -> Tensor:
    """Every bit of a key reaches every bit of the result (a 64-bit finaliser; products wrap)."""
    mixed = (keys ^ _shifted(keys, 30)) * _FIRST_FACTOR
    mixed = (mixed ^ _shifted(mixed, 27)) * _SECOND_FACTOR
    return _shifted(mixed ^ _shifted(mixed, 31), 1)


def _shifted(words: Tensor, places: int) -> Tensor:
    """A shift to the right that fills with zeros, which int64's own does not."""
    return (words >> places) & ((1 << (64 - places)) - 1)
