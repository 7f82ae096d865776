"""What becomes of a function that nobody knows by rows? It gets dense tensors."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from mercuric.errors import ArgumentError
from mercuric.reuse.equal.expansion import dense, numbers_of
from mercuric.reuse.equal.function_kinds import DERIVATIVES, HOOKS, RESIZING, SETS_DATA, name_of, writes_into
from mercuric.reuse.equal.late_gradients import require_unused
from mercuric.reuse.equal.shared_tensor import (
    ANY_FUNCTION,
    ANY_OPERATOR,
    HANDLERS,
    SharedTensor,
    autograd_knows_more,
    root_of,
)
from mercuric.reuse.equal.writing import notice_writing, settle, targets, write_through


def call_densely(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function of dense tensors."""
    name = name_of(func)
    if func == SETS_DATA and isinstance(args[0], SharedTensor):
        raise _cannot("the setter of torch.Tensor.data")
    if func in DERIVATIVES:
        require_unused((args, kwargs))
    target = args[0] if args else None
    writes = writes_into(name) or bool(kwargs.get("inplace"))
    if isinstance(target, SharedTensor) and (func in HOOKS or writes):
        if name.rpartition(".")[2] in RESIZING:
            raise _cannot(name)
        if func in HOOKS:
            require_unused(target)
        elif target._view is not None:
            return write_through(target, func, args, kwargs, name)
        if target._view is None:
            # Autograd must see the tensor itself: whoever writes or asks for its gradient gets it densely.
            settle(target)
    result_into = kwargs.get("out")
    if isinstance(result_into, SharedTensor):
        settle(root_of(result_into))
    rest, named = tree_map(lambda value: _plain(value, name), (args, kwargs))
    with torch._C.DisableTorchFunctionSubclass():
        result = func(*rest, **named)
    tree_map(notice_writing, (args, kwargs))
    return target if rest and result is rest[0] else result


def operate(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An operator of numbers, without their graph."""
    if func is torch.ops.aten.copy_.default and isinstance(args[0], SharedTensor) and args[0]._moving:
        return args[0]
    for value in targets(func, args, kwargs):
        value._dense, value._rows = numbers_of(value), None
        value._writes += 1
    plain, plain_named = tree_map(numbers_of, (args, kwargs))
    output = func(*plain, **plain_named)
    written = targets(func, args, kwargs)
    return written[0] if len(written) == 1 and isinstance(output, Tensor) else output


def _plain(value: object, function: str) -> object:
    if not isinstance(value, SharedTensor) or autograd_knows_more(value):
        return value  # autograd sees it as it is
    return dense(value, function)


def _cannot(name: str) -> ArgumentError:
    return ArgumentError(
        f"{name} was called on a feature map of which equal vectors are computed once, but neither its "
        "dimensions nor its storage can change in place; use the function without _, or leave the model dense"
    )


HANDLERS[ANY_FUNCTION], HANDLERS[ANY_OPERATOR] = call_densely, operate
