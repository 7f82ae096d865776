"""Which products that no reuse layer computes go by rows?

Models call them as functions, with weights that they make first, or from layers of their own classes.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import table_of
from mercuric.reuse.precision import left_to_torch


def linear(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A product with each row, which is never more than one with each position."""
    return _linear(func, *args, **kwargs)


def _linear(func: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    table = table_of(x)
    if table is None or table.flat or table.channel != len(table.shape) - 1 or not _are_plain(weight, bias):
        return NotImplemented
    if weight.dim() != 2 or weight.shape[1] != table.rows.shape[1] or left_to_torch(table.rows, weight, bias):
        return NotImplemented
    return table.with_rows(func(table.rows, weight, bias))


def _are_plain(weight: object, bias: object) -> bool:
    return isinstance(weight, Tensor) and not any(isinstance(one, SharedTensor) for one in (weight, bias))


HANDLERS[F.linear] = linear
