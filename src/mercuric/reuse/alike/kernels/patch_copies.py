"""How do windows leave a channels_last image, and come back? Compiled.

Pixels lie as rows (images x height x width, channels), so a row of a window is one run of kernel
columns x channels, or a run a pixel where the kernel is dilated. Windows are known by their places in
the grid; what lies outside the image is zero. Kernels take the place of the first row among ``kept``.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    WIDTH,
)


@njit(nogil=True, cache=True)
def gather_windows(
    first: int,
    last: int,
    pixels: NDArray[np.float32],
    channels: int,
    kept: NDArray[np.int64],
    grid: NDArray[np.int64],
    rows: NDArray[np.float32],
) -> None:
    """Write windows ``kept`` as rows (rows, taps x channels)."""
    run = grid[KERNEL_COLUMNS] if grid[DILATED_ACROSS] == 1 else 1
    for q in range(first, last):
        image, y0, x0 = _corner(kept[q], grid)
        place = 0
        for tap_row in range(grid[KERNEL_ROWS]):
            y = y0 + tap_row * grid[DILATED_DOWN]
            for tap in range(0, grid[KERNEL_COLUMNS], run):
                begin, end = _inside(y, x0 + tap * grid[DILATED_ACROSS], run, grid)
                into = rows[q, place : place + run * channels]
                into[: begin * channels] = 0
                into[end * channels :] = 0
                if begin < end:
                    start = (
                        (image * grid[HEIGHT] + y) * grid[WIDTH] + x0 + tap * grid[DILATED_ACROSS] + begin
                    ) * channels
                    values, length = pixels[start:], (end - begin) * channels
                    target = into[begin * channels :]
                    for element in range(length):
                        target[element] = values[element]
                place += run * channels


@njit(nogil=True, cache=True)
def add_windows(
    first: int,
    last: int,
    pixels: NDArray[np.float32],
    channels: int,
    kept: NDArray[np.int64],
    grid: NDArray[np.int64],
    rows: NDArray[np.float32],
) -> None:
    """The adjoint, for channels ``first`` to ``last``: windows of an image overlap, channels don't."""
    whole = last - first == channels
    run = grid[KERNEL_COLUMNS] if grid[DILATED_ACROSS] == 1 and whole else 1
    width = run * channels if whole else last - first
    for q in range(len(kept)):
        image, y0, x0 = _corner(kept[q], grid)
        place = first
        for tap_row in range(grid[KERNEL_ROWS]):
            y = y0 + tap_row * grid[DILATED_DOWN]
            for tap in range(0, grid[KERNEL_COLUMNS], run):
                begin, end = _inside(y, x0 + tap * grid[DILATED_ACROSS], run, grid)
                if begin < end:
                    start = (
                        (image * grid[HEIGHT] + y) * grid[WIDTH] + x0 + tap * grid[DILATED_ACROSS] + begin
                    ) * channels + first
                    values, length = (
                        rows[q, place + begin * channels :],
                        width - (run - end + begin) * channels,
                    )
                    target = pixels[start:]
                    for element in range(length):
                        target[element] += values[element]
                place += run * channels


@njit(nogil=True, cache=True)
def _corner(window: int, grid: NDArray[np.int64]) -> tuple[int, int, int]:
    """Image of a window, and the row and column where it begins."""
    rows, columns = grid[ROWS], grid[COLUMNS]
    line = window // columns
    return line // rows, line % rows * grid[DOWN] - grid[TOP], window % columns * grid[ACROSS] - grid[LEFT]


@njit(nogil=True, cache=True)
def _inside(y: int, x: int, run: int, grid: NDArray[np.int64]) -> tuple[int, int]:
    """Which of ``run`` pixels from (y, x) on lie in the image."""
    if y < 0 or y >= grid[HEIGHT]:
        return run, run
    return min(run, max(0, -x)), max(0, min(run, grid[WIDTH] - x))


@njit(nogil=True, cache=True)
def place_rows(
    first: int, last: int, rows: NDArray[np.float32], kept: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """Write each row to its place in ``out``."""
    for q in range(first, last):
        _copy(rows[q], out[kept[q]])


@njit(nogil=True, cache=True)
def repeat_rows(first: int, last: int, source: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Give every window that has a representative the representative's row."""
    for q in range(first, last):
        if source[q] != q:
            _copy(out[source[q]], out[q])


@njit(nogil=True, cache=True)
def _copy(values: NDArray[np.float32], into: NDArray[np.float32]) -> None:
    for element in range(len(into)):
        into[element] = values[element]


@njit(nogil=True, cache=True)
def members(rank: NDArray[np.int64], ends: NDArray[np.int64], order: NDArray[np.int64]) -> None:
    """Sort windows by representative: those of r are ``order[ends[r] : ends[r + 1]]``, ascending.

    ``ends`` has two elements more than there are representatives, all zero; the last is not for use.
    """
    for q in range(len(rank)):
        ends[rank[q] + 2] += 1
    for r in range(2, len(ends)):
        ends[r] += ends[r - 1]
    for q in range(len(rank)):
        order[ends[rank[q] + 1]] = q
        ends[rank[q] + 1] += 1


@njit(nogil=True, cache=True)
def sum_members(
    first: int,
    last: int,
    rows: NDArray[np.float32],
    order: NDArray[np.int64],
    ends: NDArray[np.int64],
    offset: int,
    sums: NDArray[np.float32],
) -> None:
    """Add up the rows of each representative's windows, in window order."""
    for r in range(first, last):
        begin, end = ends[offset + r], ends[offset + r + 1]
        total = sums[r]
        _copy(rows[order[begin]], total)
        for q in range(begin + 1, end):
            row = rows[order[q]]
            for element in range(len(total)):
                total[element] += row[element]
