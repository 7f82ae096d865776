"""Which functions take a piece of a tensor, and how do they go by rows?

A piece of the positions has some of the ids, one of the channels a part of each row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.layout import layout_of, tried, view_of
from mercuric.reuse.equal.pointwise import functions
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import Table, table_of

_UNBIND = set(functions("unbind"))
_CUTTING = ("chunk", "split", "tensor_split", "unbind", "unsafe_chunk", "unsafe_split", "split_with_sizes")


def indexed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Numbers, slices, None and the ellipsis in square brackets."""
    table = table_of(args[0])
    if table is None:
        return NotImplemented
    index = _in_full(args[1] if isinstance(args[1], tuple) else (args[1],), len(table.shape))
    if index is None:
        return _gathered(table, args[1])
    found = tried(func, args, kwargs)
    return NotImplemented if found is None else _taken(table, index, found[1], func, args, kwargs)


def selected(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``select`` and ``narrow``."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None or kwargs:
        return NotImplemented
    dimension, start = args[1] % len(table.shape), args[2]
    start += table.shape[dimension] if start < 0 else 0
    one = start if len(args) == 3 else slice(start, start + args[3])
    return _taken(table, _at(table, dimension, one), found[1], func, args, kwargs)


def cut(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``chunk``, ``split`` and ``unbind``: all their pieces."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None:
        return NotImplemented
    pieces = found[1]
    named = kwargs.get("dim", args[-1] if len(args) > (1 if func in _UNBIND else 2) else 0)
    if not isinstance(named, int) or not len(pieces):
        return NotImplemented
    dimension, start, cuts = named % len(table.shape), 0, []
    for number, piece in enumerate(pieces):
        if func in _UNBIND:
            one: Any = number
        else:
            one = slice(start, start + piece.shape[dimension])
            start += piece.shape[dimension]
        own = _taken(table, _at(table, dimension, one), piece, _Piece(func, number), args, kwargs)
        if own is NotImplemented:
            return NotImplemented
        cuts.append(own)
    return type(pieces)(cuts)


@dataclass(frozen=True)
class _Piece:
    """One of the tensors that a function gives."""

    func: Callable[..., Any]
    number: int

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)[self.number]


def _taken(
    table: Table,
    index: tuple[Any, ...],
    made: Tensor,
    func: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """By one item for each dimension, and None for new ones."""
    layout = layout_of(table)
    if layout is None or not made.numel():
        return NotImplemented
    rows, channel, dimension, kept = table.rows, 0, 0, 0
    places: list[Any] = []
    for item in index:
        if item is None:
            places.append(item)
            kept += 1
            continue
        if not layout.holds(dimension):
            places.append(item)
        elif dimension == layout.start:
            channel = kept
        if layout.holds(dimension) and item != slice(None):
            if not layout.whole:
                return NotImplemented
            first = item % rows.shape[1] if isinstance(item, int) else None
            rows = rows[:, item if first is None else slice(first, first + 1)].contiguous()
        kept += not isinstance(item, int)
        dimension += 1
    return view_of(table, func, args, kwargs, made, layout.ids[tuple(places)], rows, channel)


def _gathered(table: Table, index: Any) -> Any:
    """Positions of the first dimension that a tensor names or marks."""
    if not isinstance(index, Tensor) or isinstance(index, SharedTensor) or table.flat or table.channel == 0:
        return NotImplemented
    if index.dtype not in (torch.int64, torch.bool) or index.dim() != 1 or index.is_meta:
        return NotImplemented
    ids = table.classes.ids[index]
    return table.with_rows(table.rows, table.classes.moved(ids)) if ids.numel() else NotImplemented


def _in_full(index: tuple[Any, ...], dimensions: int) -> tuple[Any, ...] | None:
    """An item for each dimension, without the ellipsis; None where items are of other kinds."""
    if any(type(item) not in (int, slice, type(None), type(...)) for item in index):
        return None
    named = sum(item is not None and item is not ... for item in index)
    rest = [slice(None)] * max(0, dimensions - named)
    if ... not in index:
        return (*index, *rest)
    place = index.index(...)
    return (*index[:place], *rest, *index[place + 1 :])


def _at(table: Table, dimension: int, item: Any) -> tuple[Any, ...]:
    return tuple(item if place == dimension else slice(None) for place in range(len(table.shape)))


for _names, _handler in ((_CUTTING, cut), (("select", "narrow"), selected), (("__getitem__",), indexed)):
    HANDLERS.update(dict.fromkeys(functions(*_names), _handler))
