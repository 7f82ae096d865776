"""Which functions only ask what a shared tensor is like, and make a new one?"""

from typing import Any

from torch import Tensor

from mercuric.reuse.equal.shared_tensor import HANDLERS
from mercuric.reuse.equal.table import table_of


def make(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A plain tensor of the dtype and on the device of the rows."""
    table = table_of(args[0])
    return NotImplemented if table is None else func(table.rows, *args[1:], **kwargs)


HANDLERS.update(
    dict.fromkeys(
        (Tensor.new_empty, Tensor.new_zeros, Tensor.new_ones, Tensor.new_full, Tensor.new_tensor), make
    )
)
