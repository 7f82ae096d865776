"""Where in a tensor are its channels, and how is one like it made that a function gives?

Whatever a function does to the dense tensor is first done to one without numbers, of the same strides: that
says what PyTorch allows, the strides, and whether the result is a view.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.table import Table, share


@dataclass(frozen=True)
class Layout:
    """Which dimensions of a tensor hold its channels, all together.

    Attributes:
        table: the tensor.
        start, end: its dimensions from ``start`` to before ``end`` are the channels.
    """

    table: Table
    start: int
    end: int

    @property
    def whole(self) -> bool:
        """Whether the channels are one dimension."""
        return self.end == self.start + 1

    @property
    def ids(self) -> Tensor:
        """In the dimensions that the positions have."""
        shape = self.table.shape
        return self.table.classes.ids.reshape(*shape[: self.start], *shape[self.end :])

    def holds(self, dimension: int) -> bool:
        """Whether a dimension is of the channels."""
        return self.start <= dimension < self.end


def layout_of(table: Table) -> Layout | None:
    """None where channels and positions lie in one dimension, or channels apart."""
    if not table.flat:
        return Layout(table, table.channel, table.channel + 1)
    ids, channels = table.classes.ids.shape, table.rows.shape[1]
    start = _split_at(table.shape, prod(ids[: table.channel]))
    if start is None or start == len(table.shape):
        return None
    end = start + 1
    while end < len(table.shape) and prod(table.shape[start:end]) < channels:
        end += 1
    return Layout(table, start, end) if prod(table.shape[start:end]) == channels else None


def without_numbers(tensor: SharedTensor) -> Tensor:
    """A tensor like the dense one, of no numbers."""
    return torch.empty_strided(tuple(tensor.shape), tensor._strides, dtype=tensor.dtype, device="meta")


def tried(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Any] | None:
    """A tensor like the first argument, and what a function gives of it; None where it can't be tried."""
    given = without_numbers(args[0])
    rest = [without_numbers(one) if isinstance(one, SharedTensor) else one for one in args[1:]]
    if any(isinstance(one, Tensor) and not one.is_meta for one in (*rest, *kwargs.values())):
        return None
    try:
        made = func(given, *rest, **kwargs)
    except (RuntimeError, IndexError, TypeError, ValueError):
        return None  # the dense tensor will say why
    some = made if isinstance(made, Tensor) else made[0] if made else given
    return None if some.dtype != given.dtype or not given.numel() else (given, made)


def view_of(
    table: Table,
    func: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    made: Tensor,
    ids: Tensor,
    rows: Tensor,
    channel: int,
) -> SharedTensor:
    """What a function makes of a table: as ``made``, which has no numbers, with these ids and rows."""
    classes, shape, strides = table.classes.moved(ids), tuple(made.shape), made.stride()
    if not made._is_view():
        return share(rows, classes, channel, table.record, shape, strides)
    rest = tuple(without_numbers(one) if isinstance(one, SharedTensor) else one for one in args[1:])
    return table.viewed(lambda plain: func(plain, *rest, **kwargs), classes, channel, shape, strides, rows)


def along_each_dimension(
    table: Table, func: Any, made: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Tensor, Tensor, int] | None:
    """Ids, rows, and where the channels are, after a function that moves numbers along dimensions only.

    Args:
        table: first argument of the function.
        func: what it does along a dimension does not depend on where in the others it is.
        made: as its result, without numbers.
        args, kwargs: of the function.
    """
    if table.flat or not made.numel():
        return None
    channels = table.rows.shape[1]
    channel = made.dim() - len(table.shape) + table.channel
    rest = tuple(without_numbers(one) if isinstance(one, SharedTensor) else one for one in args[1:])
    line = torch.arange(channels, device=table.rows.device)
    line = line.reshape([channels if place == table.channel else 1 for place in range(len(table.shape))])
    order = func(line, *rest, **kwargs).movedim(channel, 0).reshape(made.shape[channel], -1)[:, 0]
    ids = func(table.classes.ids.unsqueeze(table.channel), *rest, **kwargs).select(channel, 0)
    stays = len(order) == channels and bool((order == line.flatten()).all())
    return ids, table.rows if stays else table.rows[:, order], channel


def _split_at(shape: Sequence[int], product: int) -> int | None:
    """How many dimensions, from the first, have so many places together."""
    found = 1
    for place, size in enumerate(shape):
        if found == product:
            return place
        found *= size
    return len(shape) if found == product else None
