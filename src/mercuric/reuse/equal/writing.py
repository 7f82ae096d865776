"""What becomes of a shared tensor that a function writes into?"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from mercuric.reuse.equal.expansion import dense, numbers_of
from mercuric.reuse.equal.shared_tensor import (
    SharedTensor,
    autograd_knows_more,
    is_current,
    node_of,
    root_of,
    version_of,
)
from mercuric.reuse.equal.table import table_of


def written(value: SharedTensor, new: Tensor) -> SharedTensor | None:
    """``value``, which holds from now on what ``new`` does; None where plain tensors must do it.

    Args:
        value: a function in place is applied to it.
        new: what the function gives of it, and its like.
    """
    table, node = table_of(new), node_of(value)
    if table is None or value._dense is not None or value._view is not None or not is_current(value):
        return None
    if node is not None and not torch.is_grad_enabled():
        return None
    if table.rows.requires_grad or node is not None:
        value._moving = True
        with torch._C.DisableTorchFunctionSubclass():
            value.copy_(new)
        value._moving, value._node = False, node_of(value)
    value._rows, value._classes, value._channel = table.rows, table.classes, table.channel
    value._used = value._by_classes = False  # not what it holds now
    value._writes += 1
    return value


def write_through(
    target: SharedTensor, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> SharedTensor:
    """A function writes into a view: what it is of holds it from now on, densely."""
    root, functions = target, []
    while root._view is not None:
        functions.append(root._view.function)
        root = root._view.base
    place = plain = dense(root, name).clone()
    for function in reversed(functions):
        place = function(place)
    rest, named = tree_map(lambda value: dense(value, name) if isinstance(value, Tensor) else value,
                           (args[1:], kwargs))  # fmt: skip
    func(place, *rest, **named)
    _hold(root, plain)
    return target


def settle(value: SharedTensor) -> None:
    """From now on it is a dense tensor, through whose own node all gradients flow."""
    if not autograd_knows_more(value):
        value._dense = numbers_of(value)
        value._rows = None
        value._writes += 1


def notice_writing(value: object) -> None:
    """Where a function wrote into the dense tensor of a shared one, autograd learns of it."""
    if isinstance(value, SharedTensor):
        root = root_of(value)
        written_into = root._dense is not None and root._written_at != version_of(root._dense)
        if written_into and not autograd_knows_more(root):
            _hold(root, root._dense)


def _hold(value: SharedTensor, plain: Tensor | None) -> None:
    """From now on it is this dense tensor, whose graph its own node continues."""
    assert plain is not None  # noqa: S101 - who calls has looked
    value._moving = True
    with torch._C.DisableTorchFunctionSubclass():
        value.copy_(plain)
    value._moving, value._dense, value._rows = False, plain.detach(), None
    value._writes += 1


def targets(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[SharedTensor]:
    """What an operator writes into."""
    found = [
        kwargs.get(argument.name, args[place] if place < len(args) else None)
        for place, argument in enumerate(func._schema.arguments)
        if argument.is_write
    ]
    return [value for value in found if isinstance(value, SharedTensor)]
