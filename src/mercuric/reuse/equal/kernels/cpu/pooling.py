"""How fast are the largest of classes' members found, and the sums over images, on a processor?"""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu.operands import flat, over_channels
from mercuric.similarity.threads import over_chunks

MOST_TAPS = 255
"""Which of its members a class takes is kept in 8 bits."""


def class_maximum(rows: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of at most 255 members, and uint8, (U, C): which it was."""
    best = rows.new_empty(len(members), rows.shape[1])
    chosen = torch.zeros(best.shape, dtype=torch.uint8)
    over_chunks(
        _maximum, len(members),
        flat(rows), rows.shape[1], members.contiguous().numpy(), flat(best), flat(chosen),
    )  # fmt: skip
    return best, chosen


def maximum_back(gradient: Tensor, chosen: Tensor, members: Tensor, rows: Tensor) -> None:
    """Add the gradient up in the ``rows`` that were largest."""
    over_channels(
        _maximum_back, rows.shape[1],
        flat(gradient), flat(chosen), members.contiguous().numpy(), flat(rows), rows.shape[1],
    )  # fmt: skip


def image_sums(rows: Tensor, ids: Tensor) -> Tensor:
    """See :func:`mercuric.reuse.equal.kernels.reference.image_sums`."""
    sums = rows.new_empty(len(ids), rows.shape[1])
    shape = len(rows), rows.shape[1]
    over_chunks(_image_sums, len(ids), flat(rows), *shape, ids.contiguous().numpy(), flat(sums))
    return sums


def image_sums_back(gradient: Tensor, ids: Tensor, rows: Tensor) -> None:
    """Add each image's gradient up in the ``rows`` of its positions."""
    over_channels(
        _image_sums_back, rows.shape[1], flat(gradient), ids.contiguous().numpy(), flat(rows), *rows.shape
    )


@njit(nogil=True, cache=True)
def _maximum(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    channels: int,
    members: NDArray[np.int32],
    best: NDArray[np.float32],
    chosen: NDArray[np.uint8],
) -> None:
    width = np.uint64(channels)
    for one in range(first, last):
        into, started = np.uint64(one) * width, False
        for channel in range(width):
            best[into + channel] = -np.inf
        for tap in range(members.shape[1]):
            member = members[one, tap]
            if member < 0:
                continue
            start = np.uint64(member) * width
            if not started:
                for channel in range(width):
                    best[into + channel] = rows[start + channel]
                    chosen[into + channel] = tap
                started = True
                continue
            for channel in range(width):
                value = rows[start + channel]
                if value > best[into + channel] or value != value:
                    best[into + channel] = value
                    chosen[into + channel] = tap


@njit(nogil=True, cache=True)
def _maximum_back(
    first: int,
    last: int,
    gradient: NDArray[np.float32],
    chosen: NDArray[np.uint8],
    members: NDArray[np.int32],
    rows: NDArray[np.float32],
    channels: int,
) -> None:
    width, begin, count = np.uint64(channels), np.uint64(first), np.uint64(last - first)
    for one in range(len(members)):
        value = np.uint64(one) * width + begin
        for tap in range(members.shape[1]):
            member = members[one, tap]
            if member >= 0:
                start = np.uint64(member) * width + begin
                for channel in range(count):
                    if chosen[value + channel] == tap:
                        rows[start + channel] += gradient[value + channel]


@njit(nogil=True, cache=True)
def _count_image(ids: NDArray[np.int32], counts: NDArray[np.int32], used: NDArray[np.int32]) -> int:
    """Count each class of an image in ``counts``, zeros before; the classes come into ``used``."""
    classes = 0
    for position in ids:
        if counts[position] == 0:
            used[classes] = position
            classes += 1
        counts[position] += 1
    return classes


@njit(nogil=True, cache=True)
def _image_sums(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    classes: int,
    channels: int,
    ids: NDArray[np.int32],
    sums: NDArray[np.float32],
) -> None:
    width = np.uint64(channels)
    counts, used = np.zeros(classes, dtype=np.int32), np.empty(ids.shape[1], dtype=np.int32)
    total = np.empty(channels, dtype=np.float64)
    for image in range(first, last):
        total[:] = 0
        for place in range(_count_image(ids[image], counts, used)):
            one = used[place]
            start, count = np.uint64(one) * width, np.float64(counts[one])
            counts[one] = 0
            for channel in range(width):
                total[channel] += count * rows[start + channel]
        into = np.uint64(image) * width
        for channel in range(width):
            sums[into + channel] = total[channel]


@njit(nogil=True, cache=True)
def _image_sums_back(
    first: int,
    last: int,
    gradient: NDArray[np.float32],
    ids: NDArray[np.int32],
    rows: NDArray[np.float32],
    classes: int,
    channels: int,
) -> None:
    width, begin, span = np.uint64(channels), np.uint64(first), np.uint64(last - first)
    counts, used = np.zeros(classes, dtype=np.int32), np.empty(ids.shape[1], dtype=np.int32)
    for image in range(len(ids)):
        value = np.uint64(image) * width + begin
        for place in range(_count_image(ids[image], counts, used)):
            one = used[place]
            start, count = np.uint64(one) * width + begin, counts[one]
            counts[one] = 0
            for channel in range(span):
                rows[start + channel] += gradient[value + channel] * count
