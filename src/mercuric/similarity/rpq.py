"""Which bits describe an input vector? Random Projection with Quantization (paper II-A, III-B)."""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.similarity.threads import over_chunks

ALONE = -1
"""Class of a vector whose projections aren't all finite: it is like no other (see ``MCache.access``)."""

MAX_BITS = 128
MAX_MAGNITUDE = 8
WORD = 64


def check_bits(bits: int) -> int:
    """Return ``bits`` if a signature can be that long.

    Raises:
        ValueError: ``bits`` is no integer from 1 to 128.
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= MAX_BITS:
        raise ArgumentError(f"bits was {bits!r}, but a signature has 1 to {MAX_BITS} bits")
    return bits


def random_projection(length: int, bits: int, seed: int = 0) -> Tensor:
    """The projection matrix R with elements from N(0, 1) (paper II-A).

    A longer signature extends a shorter one: the first n columns do not depend on ``bits``, so
    adaptation (paper III-D) only adds bits.

    Args:
        length: elements of an input vector, m.
        bits: signature length, n, from 1 to 128.
        seed: what the matrix is drawn from.

    Returns:
        float32, (m, n), on the CPU.

    Raises:
        ValueError: ``length`` is under 1, or ``bits`` is not from 1 to 128.
    """
    check_bits(bits)
    if length < 1:
        raise ArgumentError(f"length was {length}, but an input vector has at least 1 element")
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(MAX_BITS, length, generator=generator)[:bits].T.contiguous()


def reference_signatures(vectors: Tensor, projection: Tensor) -> Tensor:
    """The definition: bit j is set where the projection on column j is negative (paper II-A).

    The dot product is summed element by element in float64, in which the product of two float32
    numbers is exact, so that every kernel on every device can give the same bits.

    Args:
        vectors: (..., m), any floating dtype.
        projection: (m, n).

    Returns:
        int64, (...) for n up to 64, else (..., 2): bit j is bit j mod 64 of word j // 64.

    Raises:
        ValueError: the shapes do not fit, or n is not from 1 to 128.
    """
    return pack(_projected(vectors, projection) < 0)


def reference_sizes(vectors: Tensor, projection: Tensor, magnitude: int | None) -> Tensor:
    """The definition of a vector's size class: the octave of its largest projection, and a part of it.

    Signs of projections know a vector's direction and not its length. The largest absolute projection
    knows the length, and hardware that has the projections needs a comparator for it: its binary
    exponent and ``magnitude`` leading bits of its mantissa are the class. A vector that holds NaN or
    infinity, or overflows where it is projected, has no direction and no size: its class is ``ALONE``.

    Args:
        vectors: (..., m), any floating dtype.
        projection: (m, n).
        magnitude: 0 for classes an octave wide, up to 8; each bit halves them. None: all finite vectors
            are of class 0.

    Returns:
        int64, (...).

    Raises:
        ValueError: the shapes do not fit.
    """
    return _size_class(_projected(vectors, projection), magnitude)


def _projected(vectors: Tensor, projection: Tensor) -> Tensor:
    _check_shapes(vectors, projection)
    bits = projection.shape[1]
    projected = torch.zeros(*vectors.shape[:-1], bits, dtype=torch.float64, device=vectors.device)
    columns = projection.to(vectors.device, torch.float64)
    for element in range(vectors.shape[-1]):
        projected += vectors[..., element, None].to(torch.float64) * columns[element]
    return projected


def _size_class(projected: Tensor, magnitude: int | None) -> Tensor:
    largest = projected.abs().amax(-1)  # NaN where one is
    # A positive float64's bits are exponent, then mantissa: dropping low ones leaves the class.
    classes = largest.view(torch.int64) >> _dropped_bits(magnitude)
    return classes.masked_fill(~largest.isfinite(), ALONE)


def _dropped_bits(magnitude: int | None) -> int:
    return 63 if magnitude is None else 52 - magnitude


def _classes(sizes: Tensor, magnitude: int | None) -> Tensor | None:
    """``sizes``, or None where they tell no vector from another."""
    return None if magnitude is None and not bool((sizes == ALONE).any()) else sizes


def pack(negative: Tensor) -> Tensor:
    """Pack sign bits (..., n) into int64 words: (...) for n up to 64, else (..., 2)."""
    words = []
    for start in range(0, negative.shape[-1], WORD):
        chunk = negative[..., start : start + WORD].to(torch.int64)
        places = torch.arange(chunk.shape[-1], device=chunk.device)
        words.append((chunk << places).sum(-1))
    return words[0] if len(words) == 1 else torch.stack(words, dim=-1)


def signatures(vectors: Tensor, projection: Tensor) -> Tensor:
    """RPQ signatures: :func:`reference_signatures`, bit for bit, by the fastest kernel at hand.

    Args:
        vectors: (..., m), any floating dtype.
        projection: (m, n).

    Returns:
        int64, (...) for n up to 64, else (..., 2).

    Raises:
        ValueError: the shapes do not fit, or n is not from 1 to 128.
    """
    return signatures_and_sizes(vectors, projection, None)[0]


def signatures_and_sizes(
    vectors: Tensor, projection: Tensor, magnitude: int | None
) -> tuple[Tensor, Tensor | None]:
    """:func:`signatures` and :func:`reference_sizes`, bit for bit.

    The sizes are None where ``magnitude`` is and every vector is finite.
    """
    _check_shapes(vectors, projection)
    if vectors.device.type != "cpu":
        projected = _projected(vectors, projection)
        return pack(projected < 0), _classes(_size_class(projected, magnitude), magnitude)
    rows = vectors.detach().resolve_neg().reshape(-1, vectors.shape[-1])
    if rows.dtype not in (torch.float32, torch.float64):
        rows = rows.to(torch.float32)
    starts = torch.arange(len(rows)) * rows.shape[1]
    packed, _, sizes = window_signatures(
        rows.contiguous().view(-1), starts, channel_stride=1, taps=torch.zeros(1, dtype=torch.int64),
        projection=projection, groups=1, magnitude=magnitude,
    )  # fmt: skip
    packed = packed[0]
    shape = vectors.shape[:-1]
    packed = packed.reshape(shape) if packed.dim() == 1 else packed.reshape(*shape, 2)
    return packed, None if sizes is None else sizes.reshape(shape)


def window_signatures(
    flat: Tensor,
    starts: Tensor,
    channel_stride: int,
    taps: Tensor,
    projection: Tensor,
    groups: int,
    magnitude: int | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Signatures of windows read in place: no window is copied out of its image.

    Element (c, t) of window q in channel group v is
    ``flat[starts[q] + (v * span + c) * channel_stride + taps[t]]``, with span = m / len(taps).

    Args:
        flat: float32 or float64, one-dimensional, on the CPU.
        starts: int64, (Q,): where each window begins.
        channel_stride: elements from one channel to the next.
        taps: int64, (T,): offsets of a window's elements in its channel.
        projection: (m, n).
        groups: channel groups G, each with signatures of its own.
        magnitude: what size classes are made of (see :func:`reference_sizes`), or None.

    Returns:
        The signatures, int64, (G, Q) for n up to 64, else (G, Q, 2); which windows are all zeros,
        bool, (G, Q); and the size classes, int64, (G, Q), None where ``magnitude`` is and every window is
        finite.
    """
    bits = projection.shape[1]
    words = (bits + WORD - 1) // WORD
    out = np.empty((groups, len(starts), words), dtype=np.int64)
    zero = np.empty((groups, len(starts)), dtype=np.bool_)
    sizes = np.empty((groups, len(starts)), dtype=np.int64)
    # Sums of float32 products can't overflow in float64: one of them tells whether all elements are finite.
    exact = flat.dtype == projection.dtype == torch.float32
    looked_at = 1 if magnitude is None and exact else bits
    blocks = (len(starts) + _LANES - 1) // _LANES
    over_chunks(
        _sign_windows, groups * blocks,
        flat.numpy(), starts.numpy(), channel_stride, taps.numpy(),
        projection.to("cpu", torch.float64).contiguous().numpy(), blocks, out, zero,
        looked_at, _dropped_bits(magnitude), sizes,
    )  # fmt: skip
    packed = torch.from_numpy(out)
    classes = _classes(torch.from_numpy(sizes), magnitude)
    return packed[..., 0] if words == 1 else packed, torch.from_numpy(zero), classes


def _check_shapes(vectors: Tensor, projection: Tensor) -> None:
    if projection.dim() != 2 or vectors.dim() < 1 or vectors.shape[-1] != projection.shape[0]:
        raise ArgumentError(
            f"projection was {tuple(projection.shape)}, but vectors of shape {tuple(vectors.shape)} "
            "need one row an element"
        )
    check_bits(projection.shape[1])
    if not vectors.is_floating_point():
        raise ArgumentError(f"vectors were {vectors.dtype}, but signatures are of floating-point vectors")


_LANES = 64
_TILE = 32


@njit(nogil=True, cache=True)
def _sign_windows(
    first: int,
    last: int,
    flat: NDArray[np.float32],
    starts: NDArray[np.int64],
    channel_stride: int,
    taps: NDArray[np.int64],
    projection: NDArray[np.float64],
    blocks: int,
    out: NDArray[np.int64],
    zero: NDArray[np.bool_],
    looked_at: int,
    dropped: int,
    sizes: NDArray[np.int64],
) -> None:
    # Lanes are windows: each keeps the definition's order of additions, and the loops vectorise.
    length, bits = projection.shape
    span = length // len(taps)
    projected = np.empty((bits, _LANES), dtype=np.float64)
    lanes = np.zeros((_TILE, _LANES), dtype=np.float64)
    packed = np.empty(_LANES, dtype=np.int64)
    nonzero = np.empty(_LANES, dtype=np.bool_)
    # NaN's bits are above infinity's, and these above every finite number's: the largest tells.
    largest = np.empty(_LANES, dtype=np.int64)
    exponents, signless = np.int64(0x7FF << 52), np.int64(2**63 - 1)
    for block in range(first, last):
        group = block // blocks
        begin = (block % blocks) * _LANES
        width = min(_LANES, len(starts) - begin)
        places = starts[begin : begin + width].astype(np.uint64)
        projected[:] = 0.0
        nonzero[:] = False
        for tile in range(0, length, _TILE):
            depth = min(_TILE, length - tile)
            for element in range(depth):
                channel = group * span + (tile + element) // len(taps)
                plane = flat[channel * channel_stride + taps[(tile + element) % len(taps)] :]
                for lane in range(width):
                    lanes[element, lane] = plane[places[lane]]
                for lane in range(_LANES):
                    nonzero[lane] |= lanes[element, lane] != 0
            for bit in range(bits):
                total = projected[bit]
                for element in range(depth):
                    weight = projection[tile + element, bit]
                    for lane in range(_LANES):
                        total[lane] += lanes[element, lane] * weight
        for lane in range(width):
            zero[group, begin + lane] = not nonzero[lane]
        largest[:] = 0
        for bit in range(looked_at):
            seen = projected[bit].view(np.int64)
            for lane in range(_LANES):
                largest[lane] = max(largest[lane], seen[lane] & signless)
        for lane in range(width):
            size = largest[lane] >> dropped if largest[lane] < exponents else ALONE
            sizes[group, begin + lane] = size
        for word in range(out.shape[2]):
            packed[:] = 0
            for bit in range(64 * word, min(bits, 64 * word + 64)):
                place = np.int64(1) << np.int64(bit - 64 * word)
                for lane in range(_LANES):
                    packed[lane] |= place if projected[bit, lane] < 0 else np.int64(0)
            for lane in range(width):
                out[group, begin + lane, word] = packed[lane]
