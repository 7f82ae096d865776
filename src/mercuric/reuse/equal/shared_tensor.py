"""How does a tensor flow through a network whose equal vectors are stored once?

A :class:`SharedTensor` is a tensor to all that meets it. Functions that know how work on its rows, one a
class; every other function gets the dense tensor that it stands for. So a model's own forward pass runs as
it is written, and what nobody knows is dense, and right.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.autograd import Function
from torch.utils._pytree import tree_map

from mercuric.errors import ArgumentError
from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.kernels import expand
from mercuric.reuse.equal.pass_record import PassRecord

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
HANDLERS: dict[Any, Handler] = {}
"""A function of PyTorch to what computes it on rows, from it, its arguments and its keywords; that may give
NotImplemented. :mod:`mercuric.reuse.equal.functions` names all."""


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
        return self.writes == self.base._writes and _is_current(self.base)


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
        if func in _METADATA:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **named)
        handler = HANDLERS.get(func) if args else None
        result = NotImplemented if handler is None else handler(func, args, named)
        return _densely(func, args, named) if result is NotImplemented else result

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        # Below autograd, which sees the tensor itself: custom functions, writing, what is settled.
        if func is torch.ops.aten.copy_.default and isinstance(args[0], SharedTensor) and args[0]._moving:
            return args[0]
        named = kwargs or {}
        for value in _targets(func, args, named):
            value._dense, value._rows = _numbers(value), None
            value._writes += 1
        plain, plain_named = tree_map(_numbers, (args, named))
        output = func(*plain, **plain_named)
        targets = _targets(func, args, named)
        return targets[0] if len(targets) == 1 and isinstance(output, Tensor) else output

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"SharedTensor({self._classes.number} classes at {tuple(self._classes.ids.shape)})"


class Table:
    """A shared tensor taken apart, by a function that works on its rows.

    Attributes:
        tensor: the tensor.
        rows: (classes, channels), with their graph.
        classes: of the positions.
        channel: where the channels' dimension is.
    """

    __slots__ = ("channel", "classes", "rows", "tensor")

    def __init__(self, tensor: SharedTensor, rows: Tensor) -> None:
        self.tensor, self.rows = tensor, rows
        self.classes, self.channel = tensor._classes, tensor._channel

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's."""
        return tuple(self.tensor.shape)

    @property
    def flat(self) -> bool:
        """Whether it has other dimensions than its positions and the channels among them."""
        return self.shape != _whole_shape(self.rows, self.classes, self.channel)

    @property
    def strides(self) -> tuple[int, ...]:
        """Those of the dense tensor."""
        return self.tensor._strides

    @property
    def record(self) -> PassRecord:
        """Of the pass."""
        return self.tensor._record

    @property
    def format(self) -> torch.memory_format:
        """Of the dense tensor, where it is of images."""
        together = len(self.shape) == 4 and (self.strides[1] == 1 or self.shape[1] == 1)
        return torch.channels_last if self.record.channels_last and together else torch.contiguous_format

    def with_rows(
        self, rows: Tensor, classes: Classes | None = None, channel: int | None = None
    ) -> SharedTensor:
        """A shared tensor of other rows, and of other classes or channels elsewhere."""
        classes = self.classes if classes is None else classes
        channel = self.channel if channel is None else channel
        shape = self.shape if self.flat else _whole_shape(rows, classes, channel)
        if (shape, channel) == (self.shape, self.channel):
            strides = _kept_strides(shape, self.strides)
        else:
            strides = _strides(shape, channel, self.format == torch.channels_last)
        return share(rows, classes, channel, self.record, shape, strides)

    def viewed(
        self,
        function: Callable[[Tensor], Tensor],
        classes: Classes | None = None,
        channel: int | None = None,
        shape: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
        rows: Tensor | None = None,
    ) -> SharedTensor:
        """A view: the same numbers or some of them, with positions in another order or other dimensions.

        Args:
            function: gives the view of a plain tensor.
            classes: where they are otherwise.
            channel: where it is otherwise.
            shape: of the tensor, where channels and positions are put together.
            strides: of the view of the dense tensor, where they are not those of a tensor of its own.
            rows: where they are others.
        """
        made = share(
            self.rows if rows is None else rows,
            self.classes if classes is None else classes,
            self.channel if channel is None else channel,
            self.record,
            shape,
            strides,
        )
        made._view = View(self.tensor, function, self.tensor._writes)
        return made


def share(
    rows: Tensor,
    classes: Classes,
    channel: int,
    record: PassRecord,
    shape: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
) -> SharedTensor:
    """The tensor whose vector at each position is its class's row.

    Args:
        rows: (classes, channels).
        classes: of all positions; the shape of ``ids`` is the tensor's without the channels.
        channel: where the dimension of the channels goes among them.
        record: of the pass.
        shape: of the tensor, where its dimensions are put together: (N, C * H * W).
        strides: of the dense tensor; None: as layers make it.
    """
    shape = _whole_shape(rows, classes, channel) if shape is None else tuple(shape)
    strides = _strides(shape, channel, record.channels_last) if strides is None else tuple(strides)
    if rows.requires_grad and not torch.is_grad_enabled():
        rows = rows.detach()
    if not rows.requires_grad:
        return SharedTensor(rows, classes, channel, record, shape, strides)
    made: SharedTensor = _Wrapped.apply(  # type: ignore[no-untyped-call]
        rows, classes, channel, record, shape, strides
    )
    made._rows, made._node = rows, _node(made)
    return made


def share_given(
    given: Tensor, rows: Tensor, classes: Classes, channel: int, record: PassRecord
) -> SharedTensor:
    """:func:`share` of a tensor that is there, without a gradient: who writes into one writes into both.

    Args:
        given: the dense tensor.
        rows, classes, channel, record: as for :func:`share`.
    """
    made = share(rows, classes, channel, record, None, given.stride())
    made._dense, made._written_at = given, _version_of(given)
    return made


def table_of(value: object) -> Table | None:
    """A shared tensor taken apart; None for anything else, and for one that holds no rows any more."""
    if not isinstance(value, SharedTensor) or value._rows is None or not _is_current(value):
        return None
    value._used = value._by_classes = True
    return Table(value, value._rows)


def dense(value: Tensor, function: str) -> Tensor:
    """The plain tensor that a shared one stands for, with its graph; another one as it is.

    Args:
        value: shared or not.
        function: who asks for it.
    """
    if not isinstance(value, SharedTensor):
        return value
    if _autograd_knows_more(value):
        return _Unwrapped.apply(value)  # type: ignore[no-any-return, no-untyped-call]
    return _standing_for(value, function)


def given_out(value: Tensor) -> Tensor:
    """:func:`dense` of what a model gives.

    Where functions worked on its rows as well, its own gradient lacks their part: the backward pass says so
    to who asked for it.
    """
    if not isinstance(value, SharedTensor) or not value._by_classes or not _is_current(value):
        return dense(value, "the model's output")
    rows, whole = value._rows, _root(value)._rows
    plain = dense(value, "the model's output")
    if rows is not None and whole is not None and plain.requires_grad:
        _refuse_gradients_of(plain, rows, whole)
    return plain


def _refuse_gradients_of(plain: Tensor, rows: Tensor, whole: Tensor) -> None:
    """Let backward passes fail that are asked for them.

    Args:
        plain: gradients flow from it to ``whole``.
        rows: layers used them.
        whole: those of what ``plain`` is a view of.
    """
    node, output = whole.grad_fn, weakref.ref(plain)

    def check_inputs(gradient: Tensor) -> None:
        if node is not None and not torch._C._will_engine_execute_node(node):
            raise _too_late(tuple(gradient.shape))  # where it ends, it was asked for

    def check_hooks(_: Tensor) -> None:
        asked = output()
        if asked is not None and (asked.retains_grad or len(asked._backward_hooks or ()) > 1):
            raise _too_late(tuple(asked.shape))

    plain.register_hook(check_inputs)  # type: ignore[no-untyped-call]
    rows.register_hook(check_hooks)  # type: ignore[no-untyped-call]


def copied(value: Tensor) -> Tensor:
    """A plain tensor of the same numbers without their graph, which ``value`` does not keep."""
    table = table_of(value)
    if table is None:
        return dense(value, "a copy").detach()
    return expand(table.rows.detach(), table.classes.ids).movedim(-1, table.channel).reshape(table.shape)


def written(value: SharedTensor, new: Tensor) -> SharedTensor | None:
    """``value``, which holds from now on what ``new`` does; None where plain tensors must do it.

    Args:
        value: a function in place is applied to it.
        new: what the function gives of it, and its like.
    """
    table, node = table_of(new), _node(value)
    if table is None or value._dense is not None or value._view is not None or not _is_current(value):
        return None
    if node is not None and not torch.is_grad_enabled():
        return None
    if table.rows.requires_grad or node is not None:
        value._moving = True
        with torch._C.DisableTorchFunctionSubclass():
            value.copy_(new)
        value._moving, value._node = False, _node(value)
    value._rows, value._classes, value._channel = table.rows, table.classes, table.channel
    value._used = value._by_classes = False  # not what it holds now
    value._writes += 1
    return value


def _densely(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = _name_of(func)
    if func == _SETS_DATA and isinstance(args[0], SharedTensor):
        raise _cannot("the setter of torch.Tensor.data")
    if func in _DERIVATIVES:
        _require_unused((args, kwargs))
    target = args[0] if args else None
    writes = _writes_into(name) or bool(kwargs.get("inplace"))
    if isinstance(target, SharedTensor) and (func in _HOOKS or writes):
        if name.rpartition(".")[2] in _RESIZING:
            raise _cannot(name)
        if func in _HOOKS:
            _require_unused(target)
        elif target._view is not None:
            return _write_through(target, func, args, kwargs, name)
        if target._view is None:
            # Autograd must see the tensor itself: whoever writes or asks for its gradient gets it densely.
            _settle(target)
    result_into = kwargs.get("out")
    if isinstance(result_into, SharedTensor):
        _settle(_root(result_into))
    rest, named = tree_map(lambda value: _plain(value, name), (args, kwargs))
    with torch._C.DisableTorchFunctionSubclass():
        result = func(*rest, **named)
    tree_map(_notice_writing, (args, kwargs))
    return target if rest and result is rest[0] else result


def _root(value: SharedTensor) -> SharedTensor:
    """What a view is of, in the end."""
    return value if value._view is None else _root(value._view.base)


def _write_through(
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


def _notice_writing(value: object) -> None:
    """Where a function wrote into the dense tensor of a shared one, autograd learns of it."""
    if isinstance(value, SharedTensor):
        root = _root(value)
        written_into = root._dense is not None and root._written_at != _version_of(root._dense)
        if written_into and not _autograd_knows_more(root):
            _hold(root, root._dense)


def _hold(value: SharedTensor, plain: Tensor | None) -> None:
    """From now on it is this dense tensor, whose graph its own node continues."""
    assert plain is not None  # noqa: S101 - who calls has looked
    value._moving = True
    with torch._C.DisableTorchFunctionSubclass():
        value.copy_(plain)
    value._moving, value._dense, value._rows = False, plain.detach(), None
    value._writes += 1


def _plain(value: object, function: str) -> object:
    if not isinstance(value, SharedTensor) or _autograd_knows_more(value):
        return value  # autograd sees it as it is
    return dense(value, function)


def _settle(value: SharedTensor) -> None:
    """From now on it is a dense tensor, through whose own node all gradients flow."""
    if not _autograd_knows_more(value):
        value._dense = _numbers(value)
        value._rows = None
        value._writes += 1


def _numbers(value: Any) -> Any:
    """What a shared tensor holds, without its graph."""
    if not isinstance(value, SharedTensor):
        return value
    if value._rows is not None:
        with torch.no_grad():
            return _standing_for(value, "a custom function").detach()
    assert value._dense is not None  # noqa: S101 - it was settled
    return value._dense.detach()


def _targets(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[SharedTensor]:
    """What an operator writes into."""
    found = [
        kwargs.get(argument.name, args[place] if place < len(args) else None)
        for place, argument in enumerate(func._schema.arguments)
        if argument.is_write
    ]
    return [value for value in found if isinstance(value, SharedTensor)]


def _name_of(func: Any) -> str:
    """As PyTorch's documentation has it; an operator's without its overload."""
    if isinstance(func, OpOverload):
        return str(func.overloadpacket)
    return str(torch.overrides.resolve_name(func) or getattr(func, "__name__", func))


def _writes_into(name: str) -> bool:
    last = name.rpartition(".")[2]
    return (last.endswith("_") and not last.endswith("__")) or last in _WRITING


def _cannot(name: str) -> ArgumentError:
    return ArgumentError(
        f"{name} was called on a feature map of which equal vectors are computed once, but neither its "
        "dimensions nor its storage can change in place; use the function without _, or leave the model dense"
    )


def _require_unused(values: object) -> None:
    def check(value: object) -> None:
        if isinstance(value, SharedTensor) and value._used and value._rows is not None:
            raise _too_late(tuple(value.shape))

    tree_map(check, values)


def _too_late(shape: tuple[int, ...]) -> ArgumentError:
    return ArgumentError(
        f"the gradient of a feature map {shape} was asked for after layers had used it "
        "as classes, but must be asked for before (retain_grad() in the forward pass), or with its "
        "layers off (handle.switch_off)"
    )


def _autograd_knows_more(value: SharedTensor) -> bool:
    return value._rows is None or _node(value) is not value._node


def _is_current(value: SharedTensor) -> bool:
    """Whether its rows are what it holds."""
    if _autograd_knows_more(value) or (value._view is not None and not value._view.current):
        return False
    return value._dense is None or value._written_at == _version_of(value._dense)


def _node(value: SharedTensor) -> object:
    with torch._C.DisableTorchFunctionSubclass():
        return value.grad_fn


def _version_of(value: Tensor) -> int:
    return 0 if value.is_inference() else value._version


def _standing_for(value: SharedTensor, function: str) -> Tensor:
    """The plain tensor, of one that autograd knows the rows of."""
    if value._view is not None and not value._view.current:
        return value._view.function(dense(value._view.base, function))
    if value._dense is None:
        value._used = True
        value._dense = _expanded(value, function)
        value._written_at = _version_of(value._dense)
        value._record.expands(function, value._dense.numel())
    elif not value._used:
        value._used = True
        value._record.expands(function, 0)  # the model was given it
    return value._dense


def _expanded(value: SharedTensor, function: str) -> Tensor:
    assert value._rows is not None  # noqa: S101 - who asks has looked
    # Whoever asks first, without gradients perhaps, is not the last.
    with torch.set_grad_enabled(value._rows.requires_grad):
        if value._view is not None:
            return value._view.function(dense(value._view.base, function))
        plain = expand(value._rows, value._classes.ids).movedim(-1, value._channel)
        return _laid_out(plain.reshape(value.shape), value._strides)


def _laid_out(plain: Tensor, strides: tuple[int, ...]) -> Tensor:
    """A tensor whose numbers lie by these strides, which have no gaps."""
    if plain.stride() == strides:
        return plain
    order = sorted(range(plain.dim()), key=lambda place: (-strides[place], plain.shape[place] > 1))
    places = sorted(range(plain.dim()), key=order.__getitem__)
    return plain.permute(order).contiguous().permute(places)


def _whole_shape(rows: Tensor, classes: Classes, channel: int) -> tuple[int, ...]:
    """Positions, with the channels among them."""
    places = classes.ids.shape
    return (*places[:channel], rows.shape[1], *places[channel:])


def _kept_strides(shape: Sequence[int], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Those of what a function of one number at a time gives of a tensor of these."""
    return torch.empty_like(torch.empty_strided(tuple(shape), strides, device="meta")).stride()


def _strides(shape: Sequence[int], channel: int, channels_last: bool) -> tuple[int, ...]:
    """Those of a dense tensor that is made anew, images in the format of the pass."""
    order = list(range(len(shape)))
    if channels_last and channel == 1 and len(shape) == 4:
        order.append(order.pop(channel))
    strides, step = [0] * len(shape), 1
    for dimension in reversed(order):
        strides[dimension] = step
        step *= max(shape[dimension], 1)
    return tuple(strides)


class _Wrapped(Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        classes: Classes,
        channel: int,
        record: PassRecord,
        shape: Sequence[int],
        strides: tuple[int, ...],
    ) -> SharedTensor:
        ctx.set_materialize_grads(False)
        ctx.classes, ctx.channel, ctx.rows = classes, channel, rows.shape
        return SharedTensor(rows, classes, channel, record, shape, strides)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        if gradient is None:
            return None, None, None, None, None, None
        places, channels = ctx.classes.ids.shape, ctx.rows[1]
        gradient = gradient.reshape(*places[: ctx.channel], channels, *places[ctx.channel :])
        flat = gradient.movedim(ctx.channel, -1).reshape(-1, channels)
        rows = flat.new_zeros(ctx.rows).index_add(0, ctx.classes.ids.flatten().long(), flat)
        return rows, None, None, None, None, None


class _Unwrapped(Function):
    """The plain tensor of a shared one whose gradient flows through its own node."""

    @staticmethod
    def forward(ctx: Any, value: SharedTensor) -> Tensor:  # noqa: ARG004
        return _numbers(value).clone()  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:  # noqa: ARG004
        return gradients[0]


def _of_tensors(*names: str) -> set[Any]:
    """Methods, and what reads properties, as __torch_function__ is told of them."""
    found = (getattr(Tensor, name) for name in names if hasattr(Tensor, name))
    return {one if callable(one) else one.__get__ for one in found}


_METADATA = _of_tensors(
    "shape", "dtype", "device", "layout", "requires_grad", "ndim", "is_cuda", "is_cpu", "is_leaf", "grad_fn",
    "is_sparse", "is_quantized", "is_meta", "is_mkldnn", "is_mps", "is_nested", "is_xpu", "names", "itemsize",
    "size", "dim", "ndimension", "numel", "nelement", "stride", "is_floating_point", "is_complex", "grad",
    "is_contiguous", "__len__", "is_signed", "get_device", "is_inference", "is_conj", "is_neg", "output_nr",
    "has_names", "storage_offset", "__hash__", "element_size", "_version",
)  # fmt: skip
_HOOKS = _of_tensors(
    "register_hook", "retain_grad", "requires_grad_", "register_post_accumulate_grad_hook", "data"
)
_HOOKS.add(Tensor.requires_grad.__set__)  # type: ignore[attr-defined]
_SETS_DATA = Tensor.data.__set__  # type: ignore[attr-defined]
_DERIVATIVES = (torch.autograd.grad, torch.autograd.backward)
_RESIZING = {
    "as_strided_", "moveaxis_", "movedim_", "resize_", "resize_as_", "set_", "squeeze_", "swapaxes_",
    "swapdims_", "t_", "transpose_", "unsqueeze_",
}  # fmt: skip
_WRITING = {"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "set_"}
