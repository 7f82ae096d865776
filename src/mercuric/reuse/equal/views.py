"""Which functions give the same numbers in other dimensions, and how do they go by rows?"""

from math import prod
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.layout import along_each_dimension, layout_of, tried, view_of, without_numbers
from mercuric.reuse.equal.pointwise import functions
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import share, table_of

_PERMUTING = (
    "permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "adjoint", "matrix_H",
)  # fmt: skip
_RESHAPING = (
    "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel", "_unsafe_view",
)  # fmt: skip
_EXPANDING = ("expand", "broadcast_to")
_ALIKE = ("expand_as", "view_as", "reshape_as")


def permuted(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Dimensions change places; channels that stay together are channels."""
    table = table_of(args[0])
    layout = None if table is None else layout_of(table)
    found = None if layout is None else tried(func, args, kwargs)
    if table is None or layout is None or found is None:
        return NotImplemented
    # Dimensions of sizes that differ say where each has gone.
    numbered = func(torch.empty(tuple(range(1, len(table.shape) + 1)), device="meta"), *args[1:], **kwargs)
    order = [size - 1 for size in numbered.shape]
    inside = [place for place in order if layout.holds(place)]
    channel = order.index(inside[0])
    if order[channel : channel + len(inside)] != inside:
        return NotImplemented
    outside = [place for place in order if not layout.holds(place)]
    ids = layout.ids.permute([sorted(outside).index(place) for place in outside])
    rows = table.rows
    if inside != sorted(inside):
        split = rows.reshape(len(rows), *table.shape[layout.start : layout.end])
        rows = split.permute(0, *(place - layout.start + 1 for place in inside)).flatten(1)
    return view_of(table, func, args, kwargs, found[1], ids, rows, channel)


def reshaped(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same order in other dimensions: channels that stay whole are channels."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None:
        return NotImplemented
    given, made = found
    if made is given:
        return table.tensor
    shape, ids = tuple(made.shape), table.classes.ids
    before = prod(ids.shape[: table.channel])
    places = [
        place
        for place, size in enumerate(shape)
        if size == table.rows.shape[1] and prod(shape[:place]) == before
    ]
    channel = table.channel  # where it was, and in the dimensions that it had, if it is none any more
    if places:
        channel = channel if channel in places else places[0]
        ids = ids.reshape(*shape[:channel], *shape[channel + 1 :])
    return view_of(table, func, args, kwargs, made, ids, table.rows, channel)


def expanded(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What has size 1 becomes more, and dimensions may come before."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    moved = (
        None if table is None or found is None else along_each_dimension(table, func, found[1], args, kwargs)
    )
    if table is None or found is None or moved is None:
        return NotImplemented
    ids, rows, channel = moved
    return view_of(table, func, args, kwargs, found[1], ids, rows, channel)


def alike(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A tensor in the shape of another one, of which no number is needed."""
    if isinstance(args[0], SharedTensor):
        return (expanded if func is Tensor.expand_as else reshaped)(func, args, kwargs)
    if kwargs or len(args) != 2 or not isinstance(args[1], SharedTensor):
        return NotImplemented
    return func(args[0], without_numbers(args[1]))


def copied(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``clone``, and ``contiguous`` where it has to."""
    table = table_of(args[0])
    found = None if table is None else tried(func, args, kwargs)
    if table is None or found is None:
        return NotImplemented
    given, made = found
    if made is given:
        return table.tensor
    return share(table.rows, table.classes, table.channel, table.record, table.shape, made.stride())


for _names, _handler in (
    (_PERMUTING, permuted), (_RESHAPING, reshaped), (_EXPANDING, expanded), (_ALIKE, alike),
    (("clone", "contiguous"), copied),
):  # fmt: skip
    HANDLERS.update(dict.fromkeys(functions(*_names), _handler))
HANDLERS.update({getattr(Tensor, _name).__get__: permuted for _name in ("T", "mT")})
