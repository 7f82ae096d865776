"""How do rows come to the classes they are members of, and gradients back? Compiled."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu.operands import flat, number, over_channels
from mercuric.similarity.threads import over_chunks


def gather(rows: Tensor, members: Tensor, memory: Tensor | None = None) -> Tensor:
    """See :func:`mercuric.reuse.equal.kernels.reference.gather`; ``memory``: for as many elements."""
    shape = len(members), members.shape[1] * rows.shape[1]
    panel = rows.new_empty(shape) if memory is None else memory.view(shape)
    over_chunks(
        gather_chunk, members.numel(),
        flat(rows), rows.shape[1], members.contiguous().view(-1).numpy(), flat(panel),
    )  # fmt: skip
    return panel


def add_back(panel: NDArray[Any], members: NDArray[np.int32], rows: NDArray[Any], channels: int) -> None:
    """The adjoint of :func:`gather`: add the panel (U x T x C) up in its members' ``rows`` (R x C).

    A panel may be bfloat16; rows are not, as they are sums of many.
    """
    over_channels(add_chunk, channels, panel, members, 1, rows, channels)


def spread_back(values: Tensor, members: Tensor, rows: Tensor) -> None:
    """Add each of ``values`` (U, C) to all its members' ``rows``."""
    over_channels(
        add_chunk, rows.shape[1], flat(values), members.contiguous().numpy(), 0, flat(rows), rows.shape[1]
    )


def class_sum(rows: Tensor, members: Tensor) -> Tensor:
    """See :func:`mercuric.reuse.equal.kernels.reference.class_sum`."""
    sums = rows.new_empty(len(members), rows.shape[1])
    over_chunks(_sum, len(members), flat(rows), rows.shape[1], members.contiguous().numpy(), flat(sums))
    return sums


# Unsigned places spare a test for negative indices at every element.


@njit(nogil=True, cache=True)
def gather_chunk(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    channels: int,
    members: NDArray[np.int32],
    panel: NDArray[np.float32],
) -> None:
    width = np.uint64(channels)
    for place in range(first, last):
        into, member = np.uint64(place) * width, members[place]
        if member < 0:
            for channel in range(width):
                panel[into + channel] = 0
        else:
            start = np.uint64(member) * width
            for channel in range(width):
                panel[into + channel] = rows[start + channel]


@njit(nogil=True, cache=True)
def add_chunk(
    first: int,
    last: int,
    values: NDArray[np.float32],
    members: NDArray[np.int32],
    step: int,
    rows: NDArray[np.float32],
    channels: int,
) -> None:
    """Channels ``first`` to ``last``; classes have values a member where ``step`` is 1, one each where 0."""
    width, count, taps = np.uint64(channels), np.uint64(last - first), members.shape[1]
    of_class = taps if step else 1
    for one in range(len(members)):
        for tap in range(taps):
            member = members[one, tap]
            if member >= 0:
                start = np.uint64(member) * width + np.uint64(first)
                value = np.uint64(one * of_class + tap * step) * width + np.uint64(first)
                for channel in range(count):
                    rows[start + channel] += number(values[value + channel])


@njit(nogil=True, cache=True)
def _sum(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    channels: int,
    members: NDArray[np.int32],
    sums: NDArray[np.float32],
) -> None:
    width = np.uint64(channels)
    for one in range(first, last):
        into = np.uint64(one) * width
        for channel in range(width):
            sums[into + channel] = 0
        for tap in range(members.shape[1]):
            member = members[one, tap]
            if member >= 0:
                start = np.uint64(member) * width
                for channel in range(width):
                    sums[into + channel] += rows[start + channel]
