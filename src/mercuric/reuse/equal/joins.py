"""How are shared tensors put together to one?"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.kernels import expand
from mercuric.reuse.equal.shared_tensor import HANDLERS
from mercuric.reuse.equal.table import Table, table_of


def concatenate(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Channels beside channels, of classes that tell all; or positions beside positions."""
    tensors = args[0] if args else kwargs.get("tensors", ())
    dim = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis", 0))
    tables = [table_of(value) for value in tensors]
    first = tables[0] if tables else None
    if first is None or first.flat or kwargs.get("out") is not None or not isinstance(dim, int):
        return NotImplemented
    alike = [table for table in tables if table is not None and _alike(table, first)]
    if len(alike) < len(tables) or not -len(first.shape) <= dim < len(first.shape):
        return NotImplemented
    dim %= len(first.shape)
    if any(_without(table.shape, dim) != _without(first.shape, dim) for table in alike):
        return NotImplemented
    return _channels(alike) if dim == first.channel else _positions(alike, dim)


def stack(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Tensors beside each other along a dimension of their own."""
    tensors = args[0]
    dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
    tables = [table_of(value) for value in tensors]
    first = tables[0] if tables else None
    if first is None or kwargs.get("out") is not None or not isinstance(dim, int):
        return NotImplemented
    if any(table is None or table.shape != first.shape for table in tables):
        return NotImplemented
    if not -len(first.shape) <= dim + 1 <= len(first.shape) + 1:
        return NotImplemented
    return concatenate(torch.cat, ([value.unsqueeze(dim) for value in tensors], dim), {})


def _channels(tables: Sequence[Table]) -> Any:
    classes = reduce(lambda all_of, one: all_of.with_classes(one)[0], [table.classes for table in tables])
    rows = [
        table.rows if table.classes is classes else expand(table.rows, classes.inside(table.classes))
        for table in tables
    ]
    return tables[0].with_rows(torch.cat(rows, 1), classes)


def _positions(tables: Sequence[Table], dim: int) -> Any:
    """What is equal in two of the tensors is computed in each."""
    ids, number = [], 0
    for table in tables:
        ids.append(table.classes.ids + number)
        number += table.classes.number
    place = dim - (dim > tables[0].channel)
    return tables[0].with_rows(
        torch.cat([table.rows for table in tables]), Classes(torch.cat(ids, place), number)
    )


def _alike(table: Table, first: Table) -> bool:
    return not table.flat and table.channel == first.channel and len(table.shape) == len(first.shape)


def _without(shape: Sequence[int], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


HANDLERS.update(dict.fromkeys((torch.cat, torch.concat, torch.concatenate), concatenate))
HANDLERS[torch.stack] = stack
