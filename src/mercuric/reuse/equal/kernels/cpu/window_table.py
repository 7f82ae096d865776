"""Of which class is each window of a map of classes?

Most windows of a map that repeats are their left or upper neighbour's equal, which comparing whole rows at a
time finds: only the others are looked up, by a hash that is a sum over rows of sums over columns.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.class_table import OUTSIDE, ClassTable
from mercuric.reuse.equal.kernels.cpu.parts import Part, searched
from mercuric.reuse.equal.kernels.cpu.scratch import scratch
from mercuric.reuse.equal.kernels.cpu.slots import FEWEST_SLOTS, NUMBER, factors, move_on, slots_for, tag_of
from mercuric.reuse.equal.kernels.window import Window
from mercuric.similarity.window_grid import (
    ACROSS,
    COLUMNS,
    DILATED_ACROSS,
    DILATED_DOWN,
    DOWN,
    HEIGHT,
    KERNEL_COLUMNS,
    KERNEL_ROWS,
    LEFT,
    ROWS,
    TOP,
    WindowGrid,
)

_SEEDS = 2, 3


def window_classes(ids: Tensor, window: Window, most: int | None, per_image: bool) -> ClassTable | None:
    """See :func:`mercuric.reuse.equal.kernels.reference.window_classes`."""
    images, height, width = ids.shape
    rows, columns = window.output(height, width)
    grid = WindowGrid(
        height, width, window.kernel, window.stride, window.dilation,
        window.padding[0], window.padding[2], (images, rows, columns),
    )  # fmt: skip
    most = grid.windows if most is None else most
    found = np.empty((images * rows, columns), dtype=np.int32)
    row_factors, column_factors = (
        factors(taps, seed) for taps, seed in zip(window.kernel, _SEEDS, strict=True)
    )
    maps = ids.contiguous().numpy()
    unit = rows if per_image else 1

    def search(first: int, last: int) -> Part | None:
        room = min(most, (last - first) * unit * columns)
        tuples = scratch("tuples", room * window.taps, np.int32).reshape(room, window.taps)
        places = scratch("places", room, np.int64)
        padded, sums, like = _map_scratch(grid)
        classes = _find(
            first * unit, last * unit, maps, grid.numbers, row_factors, column_factors, per_image, most,
            found, slots_for(room), tuples, places, padded, sums, like,
        )  # fmt: skip
        return None if classes > most else Part(tuples[:classes].copy(), places[:classes].copy())

    table = searched(search, len(found) // unit, found.reshape(-1), most, per_image)
    if table is None:
        return None
    return ClassTable(table.ids.view(images, rows, columns), table.members, table.first)


def _map_scratch(grid: WindowGrid) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint8]]:
    """A map with its padding, all of it outside, and sums and comparisons of its rows at windows' columns.

    Columns that are a stride apart lie side by side: a tap of neighbouring windows is then one run of memory.
    """
    _, rows, columns = grid.output
    needed = (
        (number - 1) * stride + (kernel - 1) * dilation + 1
        for number, stride, kernel, dilation in zip(
            (rows, columns), grid.stride, grid.kernel, grid.dilation, strict=True
        )
    )
    sides = (grid.top + grid.height, grid.left + grid.width)
    height, width = (max(side, need) for side, need in zip(sides, needed, strict=True))
    across = grid.stride[1]
    run = (width + across - 1) // across
    padded = scratch("padded", height * across * run, np.int32).reshape(height, across * run)
    padded[:] = OUTSIDE
    sums = scratch("sums", height * columns, np.uint64).reshape(height, columns)
    like = scratch("like", 2 * (height + 1) * columns, np.uint8).reshape(2, height + 1, columns)
    return padded, sums, like


@njit(nogil=True, cache=True)
def _find(
    first: int,
    last: int,
    ids: NDArray[np.int32],
    grid: NDArray[np.int64],
    row_factors: NDArray[np.uint64],
    column_factors: NDArray[np.uint64],
    separate: bool,
    most: int,
    found: NDArray[np.int32],
    slots: NDArray[np.uint64],
    tuples: NDArray[np.int32],
    places: NDArray[np.int64],
    padded: NDArray[np.int32],
    sums: NDArray[np.uint64],
    like: NDArray[np.uint8],
) -> int:
    rows, columns, step = grid[ROWS], grid[COLUMNS], grid[DILATED_DOWN]
    flat, flat_tuples, taps = padded.reshape(-1), tuples.reshape(-1), _tap_offsets(grid, padded.shape[1])
    like_left, same_left = like[0, :-1], like[0, -1]
    like_above, same_above = like[1, :-1], like[1, -1]
    begin, size, base, classes, known = np.uint64(0), np.uint64(FEWEST_SLOTS), 0, 0, 0
    slots[:FEWEST_SLOTS] = 0
    for row in range(first, last):
        image, y = row // rows, row % rows
        top = y * grid[DOWN]
        out, above = found[row], found[row - 1]
        same_above[:] = 0
        if row == first or y == 0:
            until = min(rows, y + last - row)
            _enter(ids[image], top, until, grid, column_factors, taps, padded, sums, like_left, like_above)
            if separate:
                begin, size, base = np.uint64(0), np.uint64(FEWEST_SLOTS), classes
                slots[:FEWEST_SLOTS] = 0
        else:
            _all_rows(like_above, top, grid, same_above)
        _all_rows(like_left, top, grid, same_left)
        for x in range(columns):
            if same_left[x]:
                out[x] = known
                continue
            if same_above[x]:
                known = int(above[x])
                out[x] = known
                continue
            total = np.uint64(0)
            for tap in range(len(row_factors)):
                total += sums[top + tap * step, x] * row_factors[tap]
            start = np.uint64(top * padded.shape[1] + x)
            tag = tag_of(total)
            slot = tag & (size - np.uint64(1))
            held = slots[begin + slot]
            while held and (
                held >> np.uint64(32) != tag
                or not _equal(flat, start, taps, tuples, (held & NUMBER) - np.uint64(1))
            ):
                slot = (slot + np.uint64(1)) & (size - np.uint64(1))
                held = slots[begin + slot]
            if held:
                known = int(held & NUMBER) - 1
            else:
                known = classes
                classes += 1
                if classes > most:
                    return classes
                place = np.uint64(known * len(taps))
                for tap in range(len(taps)):
                    flat_tuples[place + np.uint64(tap)] = flat[start + taps[tap]]
                places[known] = row * columns + x
                slots[begin + slot] = tag << np.uint64(32) | np.uint64(classes)
                if 2 * (classes - base) >= np.int64(size):
                    move_on(slots, begin, size)
                    begin, size = begin + size, size * np.uint64(4)
            out[x] = known
    return classes


@njit(nogil=True, cache=True)
def _equal(
    flat: NDArray[np.int32],
    start: np.uint64,
    taps: NDArray[np.uint64],
    tuples: NDArray[np.int32],
    known: np.uint64,
) -> bool:
    tap = 0
    while tap < len(taps) and flat[start + taps[tap]] == tuples[known, tap]:
        tap += 1
    return tap == len(taps)


@njit(nogil=True, cache=True)
def _tap_offsets(grid: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Where a window's taps lie behind its first, in the map's order."""
    offsets, run = np.empty(grid[KERNEL_ROWS] * grid[KERNEL_COLUMNS], dtype=np.uint64), width // grid[ACROSS]
    for tap in range(len(offsets)):
        y = tap // grid[KERNEL_COLUMNS] * grid[DILATED_DOWN]
        x = tap % grid[KERNEL_COLUMNS] * grid[DILATED_ACROSS]
        offsets[tap] = np.uint64(y * width + x % grid[ACROSS] * run + x // grid[ACROSS])
    return offsets


@njit(nogil=True, cache=True)
def _enter(
    ids: NDArray[np.int32],
    top: int,
    until: int,
    grid: NDArray[np.int64],
    factors: NDArray[np.uint64],
    taps: NDArray[np.uint64],
    padded: NDArray[np.int32],
    sums: NDArray[np.uint64],
    like_left: NDArray[np.uint8],
    like_above: NDArray[np.uint8],
) -> None:
    """Of each padded row from ``top`` to the row ``until`` of windows, at each window's columns: their sum,
    and whether they are those of the window to the left, and of the one above."""
    bottom = (until - 1) * grid[DOWN] + (grid[KERNEL_ROWS] - 1) * grid[DILATED_DOWN] + 1
    columns = grid[COLUMNS]
    for y in range(top, bottom):
        if 0 <= y - grid[TOP] < grid[HEIGHT]:
            _enter_row(ids[y - grid[TOP]], grid, padded[y])
        sums[y] = 0
        like_left[y] = 1
        like_above[y] = 1
        above = max(y - grid[DOWN], top)
        for tap in range(len(factors)):
            factor, at = factors[tap], taps[tap]
            for x in range(columns):
                sums[y, x] += np.uint64(np.uint32(padded[y, at + np.uint64(x)])) * factor
            for x in range(columns):
                same = padded[y, at + np.uint64(x)] == padded[above, at + np.uint64(x)]
                like_above[y, x] &= np.uint8(same)
            for x in range(1, columns):
                same = padded[y, at + np.uint64(x)] == padded[y, at + np.uint64(x - 1)]
                like_left[y, x] &= np.uint8(same)
        like_left[y, 0] = 0


@njit(nogil=True, cache=True)
def _enter_row(ids: NDArray[np.int32], grid: NDArray[np.int64], padded: NDArray[np.int32]) -> None:
    across, run = grid[ACROSS], len(padded) // grid[ACROSS]
    for phase in range(across):
        first = (phase - grid[LEFT]) % across
        begin = phase * run + (grid[LEFT] + first) // across
        for place in range((len(ids) - first + across - 1) // across):
            padded[begin + place] = ids[first + place * across]


@njit(nogil=True, cache=True)
def _all_rows(like: NDArray[np.uint8], top: int, grid: NDArray[np.int64], same: NDArray[np.uint8]) -> None:
    same[:] = like[top]
    for tap in range(1, grid[KERNEL_ROWS]):
        row = top + tap * grid[DILATED_DOWN]
        for x in range(len(same)):
            same[x] &= like[row, x]
