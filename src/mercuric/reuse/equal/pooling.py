"""How are windows of a map pooled by classes?"""

from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.image_statistics import image_averages, image_maxima
from mercuric.reuse.equal.kernels import (
    OUTSIDE,
    Window,
    class_maximum,
    class_sum,
    vector_classes,
)
from mercuric.reuse.equal.shared_tensor import HANDLERS
from mercuric.reuse.equal.sides import Pair, pair
from mercuric.reuse.equal.table import Table, table_of
from mercuric.reuse.precision import accurate


def max_pool(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The largest of each class of windows."""
    return _max_pool(_DIMENSIONS[func], *args, **kwargs)


def average_pool(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The average of each class of windows."""
    return _average_pool(_DIMENSIONS[func], *args, **kwargs)


def adaptive_pool(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Windows of the same size or almost; over a whole map, a plain tensor with a vector an image."""
    largest = func in (F.adaptive_max_pool2d, F.adaptive_max_pool1d)
    return _adaptive_pool(_DIMENSIONS[func], largest, *args, **kwargs)


def _max_pool(
    dimensions: int,
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    table = _map(x, dimensions)
    if table is None or return_indices or not table.rows.is_floating_point():
        return NotImplemented
    kernel = pair(kernel_size, dimensions, 1)
    step = kernel if stride is None or stride == [] else pair(stride, dimensions, 1)
    window = _window(
        table, kernel, step, pair(padding, dimensions, 0), pair(dilation, dimensions, 1), ceil_mode
    )
    if window is None:
        return NotImplemented
    classes, members = _windows(table, window)
    if window.dilation != (1, 1) and bool((members == OUTSIDE).all(1).any()):
        return NotImplemented
    return _pooled(table, class_maximum(table.rows, members), classes)


def _average_pool(
    dimensions: int,
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    table = _map(x, dimensions)
    if table is None or divisor_override == 0 or not table.rows.is_floating_point():
        return NotImplemented
    kernel = pair(kernel_size, dimensions, 1)
    step = kernel if stride is None or stride == [] else pair(stride, dimensions, 1)
    pads = pair(padding, dimensions, 0)
    window = _window(table, kernel, step, pads, (1, 1), ceil_mode)
    if window is None:
        return NotImplemented
    classes, members = _windows(table, window)
    divisors: Tensor | int
    if divisor_override is not None:
        divisors = divisor_override
    elif not count_include_pad:
        divisors = (members != OUTSIDE).sum(1, keepdim=True)
    else:
        divisors = _covered(_sides(table), window, pads, classes)
    sums = class_sum(accurate(table.rows), members)
    return _pooled(table, (sums / divisors).to(table.rows.dtype), classes)


def _adaptive_pool(
    dimensions: int, largest: bool, x: Any, output_size: Any, return_indices: bool = False
) -> Any:
    table = _map(x, dimensions)
    if table is None or return_indices or not table.rows.is_floating_point():
        return NotImplemented
    sides = _sides(table)
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * dimensions
    if len(wanted) != dimensions:
        return NotImplemented
    if dimensions == 1:
        wanted = (1, *wanted)
    size = (sides[0] if wanted[0] is None else wanted[0], sides[1] if wanted[1] is None else wanted[1])
    if min(size) < 1:
        return NotImplemented
    if size == sides:
        return table.with_rows(table.rows)
    if size == (1, 1):
        if largest and bool(table.rows.isnan().any()):
            return NotImplemented  # the last NaN has the gradient, but where classes are last is not known
        vectors = image_maxima(table) if largest else image_averages(table)
        return vectors[(..., *[None] * dimensions)]
    classes, members = _adaptive_windows(table, size)
    if largest:
        return _pooled(table, class_maximum(table.rows, members), classes)
    sums = class_sum(accurate(table.rows), members) / (members != OUTSIDE).sum(1, keepdim=True)
    return _pooled(table, sums.to(table.rows.dtype), classes)


def _map(x: Any, dimensions: int) -> Table | None:
    """A batch of maps, (N, C, H, W), or of sequences, (N, C, L)."""
    table = table_of(x)
    fits = table is not None and not table.flat and table.channel == 1 and len(table.shape) == dimensions + 2
    return table if fits else None


def _sides(table: Table) -> Pair:
    """Lines and columns; a sequence is one line."""
    return (1, *table.shape[2:])[-2:]  # type: ignore[return-value]


def _window(
    table: Table, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Window | None:
    """The windows of a pool; None for what PyTorch refuses."""
    ends = []
    for side, taps, step, pad, apart in zip(_sides(table), kernel, stride, padding, dilation, strict=True):
        span = apart * (taps - 1) + 1
        if min(taps, step, apart) < 1 or not 0 <= pad <= span // 2:
            return None
        if side + 2 * pad + (step - 1 if ceil_mode else 0) < span:
            return None
        ends.append(pad)
        if ceil_mode:
            last = ceil((side + 2 * pad - span) / step) * step
            # No window begins behind the map.
            last = last if last < side + pad else last - step
            ends[-1] = max(pad, last + span - side - pad)
    return Window(kernel, stride, (padding[0], ends[0], padding[1], ends[1]), dilation)


def _windows(table: Table, window: Window) -> tuple[Classes, Tensor]:
    found = _lines(table).windows(window)
    assert found is not None  # noqa: S101 - nothing was to be given up
    return found


def _lines(table: Table) -> Classes:
    """Classes of maps; a sequence is one line."""
    classes = table.classes
    return classes if classes.ids.dim() == 3 else classes.moved(classes.ids[:, None])


def _pooled(table: Table, rows: Tensor, classes: Classes) -> Any:
    return table.with_rows(
        rows, classes if table.classes.ids.dim() == 3 else classes.moved(classes.ids[:, 0])
    )


def _covered(sides: Pair, window: Window, padding: Pair, classes: Classes) -> Tensor | int:
    """What of each window lies in a map and its padding: its size, but for last windows of ``ceil_mode``."""
    lines, columns = (
        (side + 2 * pad - torch.arange(count, device=classes.ids.device) * step).clamp(max=taps)
        for side, pad, count, step, taps in zip(
            sides, padding, classes.ids.shape[1:], window.stride, window.kernel, strict=True
        )
    )
    if int(lines[-1]) * int(columns[-1]) == window.taps:
        return window.taps
    # Which of its taps lie outside tells a window's place at the end.
    places = classes.first % (len(lines) * len(columns))
    return (lines[:, None] * columns).flatten()[places][:, None]


def _adaptive_windows(table: Table, size: Pair) -> tuple[Classes, Tensor]:
    """Windows that divide a map as evenly as can be, overlapping where they must."""
    sides = _sides(table)
    if sides[0] % size[0] == 0 and sides[1] % size[1] == 0:
        steps = (sides[0] // size[0], sides[1] // size[1])
        return _windows(table, Window(steps, steps))
    ids = _lines(table).ids
    (y, inside_y), (x, inside_x) = (
        _parts(side, count, ids.device) for side, count in zip(sides, size, strict=True)
    )
    windows = ids[:, y[:, None, :, None], x[None, :, None, :]]
    inside = inside_y[:, None, :, None] & inside_x[None, :, None, :]
    found = vector_classes(windows.where(inside, OUTSIDE).flatten(3).flatten(0, 2))
    assert found is not None  # noqa: S101 - nothing was to be given up
    return Classes(found.ids.view(len(ids), *size), found.classes, found.first), found.members


def _parts(side: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each part's positions are, (parts, most), and whether it has as many."""
    parts = torch.arange(count, device=device)
    start, end = parts * side // count, -((parts + 1) * side // -count)
    places = start[:, None] + torch.arange(int((end - start).max()), device=device)
    return places.clamp(max=side - 1), places < end[:, None]


_DIMENSIONS = {
    F.max_pool2d: 2, F.max_pool1d: 1, torch.max_pool2d: 2, torch.max_pool1d: 1,
    F.avg_pool2d: 2, F.avg_pool1d: 1,
    F.adaptive_avg_pool2d: 2, F.adaptive_avg_pool1d: 1, F.adaptive_max_pool2d: 2, F.adaptive_max_pool1d: 1,
}  # fmt: skip
HANDLERS.update(dict.fromkeys((F.max_pool2d, F.max_pool1d, torch.max_pool2d, torch.max_pool1d), max_pool))
HANDLERS.update(dict.fromkeys((F.avg_pool2d, F.avg_pool1d), average_pool))
HANDLERS.update(
    dict.fromkeys(
        (F.adaptive_avg_pool2d, F.adaptive_avg_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool1d),
        adaptive_pool,
    )
)
