"""Which functions put vectors elsewhere, or deal their channels out, and how do they go by rows?

Padding, scaling to the nearest pixel, rolling and turning move classes, not numbers; shuffling pixels and
channels cuts rows up or puts them together.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.kernels import Window, gather
from mercuric.reuse.equal.layout import along_each_dimension, tried
from mercuric.reuse.equal.pointwise import functions
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import Table, share, table_of

_EXACT = 2**24
"""Of whole numbers from 0 on, so many are numbers of float32."""


def padded(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A constant around the positions is one row more; every other padding moves classes."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None or table.flat or not found[1].numel():
        return NotImplemented
    pads, mode, value = _padding(*args[1:], **kwargs)
    own = 2 * (len(table.shape) - table.channel - 1)
    if any(pads[own : own + 2]):
        return NotImplemented
    if mode != "constant":
        strides = found[1].stride() if mode == "circular" else None  # the others keep the format
        return _moved(table, lambda ids: F.pad(ids, pads, mode), strides)
    number, rows = table.classes.number, table.rows
    ids = F.pad(table.classes.ids.unsqueeze(table.channel), pads, value=number).squeeze(table.channel)
    if max(pads) <= 0:
        return table.with_rows(rows, table.classes.moved(ids))
    return table.with_rows(F.pad(rows, (0, 0, 0, 1), value=value or 0), Classes(ids, number + 1))


def interpolated(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """To the nearest pixel: classes are repeated."""
    table = table_of(args[0])
    mode = kwargs.get("mode", args[3] if len(args) > 3 else "nearest")
    if table is None or table.flat or table.channel != 1 or mode not in ("nearest", "nearest-exact"):
        return NotImplemented
    found = tried(func, args, kwargs)
    if found is None or not found[1].numel():
        return NotImplemented
    return _moved(table, lambda ids: func(ids, *args[1:], **kwargs))


def turned(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``roll``, ``flip`` and repetition."""
    table = table_of(args[0])
    if table is None or (func in _IN_ONE_DIMENSION and len(args) < 3 and not {"dim", "dims"} & kwargs.keys()):
        return NotImplemented
    found = tried(func, args, kwargs)
    moved = None if found is None else along_each_dimension(table, func, found[1], args, kwargs)
    if found is None or moved is None:
        return NotImplemented
    ids, rows, channel = moved
    # Without numbers roll and flip tell no strides.
    strides = None if found[1].shape == table.shape else found[1].stride()
    return share(rows, table.classes.moved(ids), channel, table.record, None, strides)


def pixels_shuffled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A row becomes one for each pixel of a block: (N, C r r, H, W) to (N, C, H r, W r)."""
    table, made = _images(func, args, kwargs)
    if table is None or made is None:
        return NotImplemented
    side = made.shape[2] // table.shape[2]
    return dealt_out(table, side, side)


def pixels_unshuffled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The rows of a block become one."""
    table, made = _images(func, args, kwargs)
    if table is None or made is None:
        return NotImplemented
    side = table.shape[2] // made.shape[2]
    found = table.classes.windows(Window((side, side), (side, side)))
    assert found is not None  # noqa: S101 - nothing was to be given up
    classes, members = found
    taps = gather(table.rows, members).reshape(len(members), side * side, -1)
    return table.with_rows(taps.mT.flatten(1), classes)


def channels_shuffled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Channels change places in each row."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None or table.flat or table.channel != 1:
        return NotImplemented
    groups = kwargs["groups"] if "groups" in kwargs else args[1]
    rows = table.rows.reshape(len(table.rows), groups, -1).mT.flatten(1)
    return table.with_rows(rows, table.classes)


def folded(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Blocks that lie side by side and fill the image: each row becomes one for each pixel of a block."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None or table.flat or table.channel != 1 or len(table.shape) != 3:
        return NotImplemented
    size, kernel, dilation, padding, stride = (_pair(one) for one in _folding(*args[1:], **kwargs))
    down, across = (side // step for side, step in zip(size, kernel, strict=True))
    blocks = (down * kernel[0], across * kernel[1])
    if kernel != stride or (dilation, padding, blocks) != ((1, 1), (0, 0), size):
        return NotImplemented
    images = table.classes.ids.reshape(-1, down, across)
    return dealt_out(table, *kernel, ids=images)


def dealt_out(table: Table, height: int, width: int, ids: Tensor | None = None) -> SharedTensor:
    """Each position becomes a block of pixels, whose numbers lie in its row: (channels, height, width).

    Args:
        table: of images.
        height, width: of a block.
        ids: (N, H, W), where the table's positions have other dimensions.
    """
    block = height * width
    rows = table.rows.reshape(len(table.rows), -1, block).mT.reshape(-1, table.rows.shape[1] // block)
    places = torch.arange(block, dtype=torch.int32, device=rows.device).view(height, 1, width)
    given = table.classes.ids if ids is None else ids
    own = (given[:, :, None, :, None] * block + places).flatten(3).flatten(1, 2)
    return table.with_rows(rows, Classes(own, table.classes.number * block))


def _images(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Table | None, Tensor | None]:
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None or table.flat or table.channel != 1 or len(table.shape) != 4:
        return None, None
    return table, found[1] if found[1].numel() else None


def _moved(
    table: Table, function: Callable[[Tensor], Tensor], strides: Sequence[int] | None = None
) -> SharedTensor:
    """The same rows where a function for numbers of floating point puts them."""
    dtype = torch.float32 if table.classes.number <= _EXACT else torch.float64
    ids = function(table.classes.ids.unsqueeze(table.channel).to(dtype)).squeeze(table.channel)
    classes = table.classes.moved(ids.int())
    if strides is None:
        return table.with_rows(table.rows, classes)
    return share(table.rows, classes, table.channel, table.record, None, strides)


def _padding(
    pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> tuple[list[int], str, float | None]:
    return list(pad), mode, value


def _folding(
    output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> tuple[Any, ...]:
    return output_size, kernel_size, dilation, padding, stride


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


_IN_ONE_DIMENSION = set(functions("roll", "repeat_interleave"))
for _names, _handler in (
    (("pad",), padded), (("interpolate",), interpolated),
    (("roll", "flip", "fliplr", "flipud", "repeat", "tile", "repeat_interleave"), turned),
    (("pixel_shuffle",), pixels_shuffled), (("pixel_unshuffle",), pixels_unshuffled),
    (("channel_shuffle", "native_channel_shuffle"), channels_shuffled), (("fold",), folded),
):  # fmt: skip
    HANDLERS.update(dict.fromkeys(functions(*_names), _handler))
