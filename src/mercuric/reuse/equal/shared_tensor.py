"""How does a tensor flow through a network whose equal vectors are stored once?

A :class:`SharedTensor` is a tensor to all that meets it. Functions that know how work on its rows, one a
class; every other function gets the dense tensor that it stands for. So a model's own forward pass runs as
it is written, and what nobody knows is dense, and right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.function_kinds import METADATA
from mercuric.reuse.equal.pass_record import PassRecord

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
HANDLERS: dict[Any, Handler] = {}
"""A function of PyTorch to what computes it on rows, from it, its arguments and its keywords; that may give
NotImplemented. :mod:`mercuric.reuse.equal.functions` names all."""
ANY_FUNCTION, ANY_OPERATOR = object(), object()
"""Have the handler of all other functions, and that of all operators: what is below autograd, which sees the
tensor itself, as in custom functions and where it is written into."""


@dataclass(frozen=True)
class View:
    """What a shared tensor is a view of, as PyTorch understands views: who writes into one writes into both.

    Attributes:
        base: the tensor.
        function: gives the view of a plain base.
        writes: how often the base had been written into when the view was taken.
    """

    base: "SharedTensor"
    function: Callable[[Tensor], Tensor]
    writes: int

    @property
    def current(self) -> bool:
        """Whether the base holds what it held then."""
        return self.writes == self.base._writes and is_current(self.base)


class SharedTensor(Tensor):
    """A tensor whose equal vectors, along one dimension, are stored once.

    Made by :func:`share`. It has a node of its own in autograd's graph: where an unknown use takes a
    gradient of it, that is summed over each class and goes on to the rows.
    """

    _rows: Tensor | None  # None: it was written into, or its gradient asked for: a plain tensor from then on
    _classes: Classes
    _channel: int
    _record: PassRecord
    _strides: tuple[int, ...]  # those of the dense tensor
    _view: View | None
    _node: object  # of autograd, as it was made: with another one, autograd knows of what rows do not
    _dense: Tensor | None  # what it stands for, once somebody has asked
    _written_at: int  # the version of _dense
    _used: bool
    _by_classes: bool  # a function worked on its rows
    _writes: int
    _moving: bool  # rows are being put in its place

    @staticmethod
    def __new__(
        cls,
        rows: Tensor,
        classes: Classes,
        channel: int,
        record: PassRecord,
        shape: Sequence[int],
        strides: tuple[int, ...],
    ) -> "SharedTensor":
        made: SharedTensor = torch.Tensor._make_wrapper_subclass(
            cls, tuple(shape), strides=strides, dtype=rows.dtype, device=rows.device
        )
        made._rows, made._classes, made._channel, made._record = rows, classes, channel, record
        made._strides = strides
        made._view, made._node, made._dense, made._written_at = None, None, None, 0
        made._used, made._by_classes, made._writes, made._moving = False, False, 0, False
        return made

    @classmethod
    @torch._disable_dynamo  # type: ignore[attr-defined]
    def __torch_function__(
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in METADATA:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **named)
        handler = HANDLERS.get(func) if args else None
        result = NotImplemented if handler is None else handler(func, args, named)
        return HANDLERS[ANY_FUNCTION](func, args, named) if result is NotImplemented else result

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return HANDLERS[ANY_OPERATOR](func, args, kwargs or {})

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"SharedTensor({self._classes.number} classes at {tuple(self._classes.ids.shape)})"


def is_current(value: SharedTensor) -> bool:
    """Whether its rows are what it holds."""
    if autograd_knows_more(value) or (value._view is not None and not value._view.current):
        return False
    return value._dense is None or value._written_at == version_of(value._dense)


def autograd_knows_more(value: SharedTensor) -> bool:
    """Whether autograd knows of what the rows do not: it was written into, or its gradient asked for."""
    return value._rows is None or node_of(value) is not value._node


def node_of(value: SharedTensor) -> object:
    """Its own in autograd's graph."""
    with torch._C.DisableTorchFunctionSubclass():
        return value.grad_fn


def version_of(value: Tensor) -> int:
    """How often a plain tensor was written into."""
    return 0 if value.is_inference() else value._version


def root_of(value: SharedTensor) -> SharedTensor:
    """What a view is of, in the end."""
    return value if value._view is None else root_of(value._view.base)
