"""Which functions look at one number of a tensor at a time, and how do they go by rows?"""

from collections.abc import Iterator, Sequence
from inspect import isfunction
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.kernels import expand
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import Table, table_of
from mercuric.reuse.equal.writing import written

_OF_ONE = (
    "abs", "absolute", "bfloat16", "ceil", "celu", "clamp", "clamp_max", "clamp_min", "clip", "cos", "double",
    "elu", "erf", "exp", "exp2", "expm1", "float", "floor", "gelu", "half", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "leaky_relu", "log", "log10", "log1p", "log2", "logsigmoid", "mish",
    "nan_to_num", "neg", "negative", "positive", "reciprocal", "relu", "relu6", "round", "rsqrt", "selu",
    "sigmoid", "sign",
    "silu", "sin", "softplus", "softshrink", "softsign", "sqrt", "square", "tan", "tanh", "tanhshrink",
    "threshold", "trunc", "__abs__", "__neg__", "__pos__",
)  # fmt: skip
_OF_MORE = (
    "add", "addcdiv", "addcmul", "div", "divide", "floor_divide", "fmod", "lerp", "maximum", "minimum", "mul",
    "multiply", "pow", "remainder", "rsub", "sub", "subtract", "true_divide", "where", "__add__", "__div__",
    "__mul__", "__pow__", "__radd__", "__rdiv__", "__rmul__", "__rpow__", "__rsub__", "__rtruediv__",
    "__sub__", "__truediv__",
)  # fmt: skip


def functions(*names: str) -> Iterator[Any]:
    """PyTorch's functions of these names, wherever it has them."""
    for name in names:
        for where in (torch, Tensor, F, torch._C._nn, torch.special):
            if callable(getattr(where, name, None)):
                yield getattr(where, name)


def pointwise(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function of numbers at the same place, on the rows of classes that tell all its tensors."""
    if func in _INPLACE:
        place = _INPLACE[func]
        if kwargs.get("inplace", len(args) > place and args[place]):
            named = {name: value for name, value in kwargs.items() if name != "inplace"}
            result = pointwise(func, args[:place], named)
            done = None if result is NotImplemented else written(args[0], result)
            return NotImplemented if done is None else done
    if any(isinstance(value, Tensor) for value in kwargs.values()):
        return NotImplemented
    joined = _joined(args)
    if joined is None:
        return NotImplemented
    table, classes, rows = joined
    result = func(*rows, **kwargs)
    if result is table.rows:
        return table.tensor  # as x.float() is x
    return (
        table.with_rows(result, classes)
        if result.shape == (classes.number, table.rows.shape[1])
        else NotImplemented
    )


def convert(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``to`` and its like: another dtype is the rows', another device is not followed."""
    table = table_of(args[0])
    if table is None:
        return NotImplemented
    if kwargs.get("memory_format", torch.preserve_format) is not torch.preserve_format:
        return NotImplemented
    rows = func(table.rows, *args[1:], **kwargs)
    if rows.device != table.rows.device:
        return NotImplemented
    return args[0] if rows is table.rows else table.with_rows(rows)


def in_place(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function that writes into its first argument: the rows are new ones, and the tensor has them."""
    target = args[0]
    result = pointwise(_PLAIN_FORM[func], args, dict(kwargs)) if isinstance(target, SharedTensor) else None
    if not isinstance(result, SharedTensor) or result.shape != target.shape:
        return NotImplemented
    done = written(target, result.to(target.dtype))
    return NotImplemented if done is None else done


def _joined(args: Sequence[Any]) -> tuple[Table, Classes, list[Any]] | None:
    """What the result is like, the classes that tell all arguments, and these as rows of them."""
    tables = [table_of(value) for value in args]
    shared = [table for table in tables if table is not None]
    if not shared:
        return None
    first = max(shared, key=lambda table: table.rows.shape[1])
    classes, rows = first.classes, list(args)
    told: list[int] = []
    for place, (value, table) in enumerate(zip(args, tables, strict=True)):
        operand = _operand(value, first) if table is None else _rows_like(table, first)
        if operand is None:
            return None
        rows[place], own = operand
        if own is None:
            continue
        classes, before, index = classes.with_classes(own)
        for earlier in told:
            rows[earlier] = _taken(rows[earlier], before)
        rows[place] = _taken(rows[place], index)
        told.append(place)
    return first, classes, rows


def _rows_like(table: Table, first: Table) -> tuple[Tensor, Classes] | None:
    """Of a tensor with the same channels, or with one for all of them."""
    places = (table.classes.ids.shape, first.classes.ids.shape)
    if (table.channel, table.flat, places[0]) != (first.channel, first.flat, places[1]):
        return None
    one = not first.flat and table.rows.shape[1] == 1 and table.classes.ids.shape == first.classes.ids.shape
    return (table.rows, table.classes) if one or table.shape == first.shape else None


def _operand(value: Any, like: Table) -> tuple[Any, Classes | None] | None:
    """A number, a plain tensor that goes along the channels, or one that goes along images and channels."""
    if isinstance(value, SharedTensor):
        return None
    if not isinstance(value, Tensor):
        return value, None
    if value.numel() == 1 and value.dim() <= len(like.shape):
        # A tensor without dimensions does not say the dtype of the result, as another does.
        return value.reshape((1, 1) if value.dim() else ()), None
    if like.flat or value.dim() > len(like.shape) or value.layout != torch.strided:
        return None
    before = len(like.shape) - value.dim()
    if any(size not in (1, like.shape[before + place]) for place, size in enumerate(value.shape)):
        return None
    for place, step in enumerate(value.stride()):
        value = value[(slice(None),) * place + (slice(1),)] if step == 0 else value  # it was repeated there
    shape = (1,) * before + tuple(value.shape)
    wide = [place for place, size in enumerate(shape) if size > 1]
    if set(wide) <= {like.channel}:
        return value.reshape(1, -1), None
    if like.channel > 0 and set(wide) <= {0, like.channel} and like.classes.ids.dim() > 1:
        return value.reshape(shape[0], -1), like.classes.images()
    return None


def _taken(rows: Tensor, index: Tensor | None) -> Tensor:
    return rows if index is None else expand(rows, index)


def _register() -> None:
    for names in (_OF_ONE, _OF_MORE):
        for name in names:
            for func in functions(name):
                HANDLERS[func] = pointwise
                arguments = func.__code__.co_varnames if isfunction(func) else ()
                if "inplace" in arguments:
                    _INPLACE[func] = arguments.index("inplace")
            for func in functions(f"{name}_"):
                HANDLERS[func] = in_place
                _PLAIN_FORM[func] = getattr(Tensor, name, None) or next(functions(name))
    for name, plain in (
        ("__iadd__", "add"),
        ("__isub__", "sub"),
        ("__imul__", "mul"),
        ("__itruediv__", "div"),
    ):
        for func in functions(name):
            HANDLERS[func] = in_place
            _PLAIN_FORM[func] = getattr(Tensor, plain)
    HANDLERS.update(dict.fromkeys((Tensor.to, Tensor.type_as), convert))


_PLAIN_FORM: dict[Any, Any] = {}
_INPLACE: dict[Any, int] = {}  # which argument of a function says that it writes into the first
_register()
