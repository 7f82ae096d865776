"""How is a shared tensor made of rows, and taken apart into them?"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.pass_record import PassRecord
from mercuric.reuse.equal.shared_tensor import SharedTensor, View, is_current, node_of, version_of
from mercuric.reuse.equal.strides import kept_strides, new_strides, whole_shape
from mercuric.reuse.precision import accurate


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
        return self.shape != whole_shape(self.rows, self.classes, self.channel)

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
        shape = self.shape if self.flat else whole_shape(rows, classes, channel)
        if (shape, channel) == (self.shape, self.channel):
            strides = kept_strides(shape, self.strides)
        else:
            strides = new_strides(shape, channel, self.format == torch.channels_last)
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
    shape = whole_shape(rows, classes, channel) if shape is None else tuple(shape)
    strides = new_strides(shape, channel, record.channels_last) if strides is None else tuple(strides)
    if rows.requires_grad and not torch.is_grad_enabled():
        rows = rows.detach()
    if not rows.requires_grad:
        return SharedTensor(rows, classes, channel, record, shape, strides)
    made: SharedTensor = _Wrapped.apply(  # type: ignore[no-untyped-call]
        rows, classes, channel, record, shape, strides
    )
    made._rows, made._node = rows, node_of(made)
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
    made._dense, made._written_at = given, version_of(given)
    return made


def table_of(value: object) -> Table | None:
    """A shared tensor taken apart; None for anything else, and for one that holds no rows any more."""
    if not isinstance(value, SharedTensor) or value._rows is None or not is_current(value):
        return None
    value._used = value._by_classes = True
    return Table(value, value._rows)


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
        flat = accurate(gradient.movedim(ctx.channel, -1).reshape(-1, channels))
        rows = flat.new_zeros(ctx.rows).index_add(0, ctx.classes.ids.flatten().long(), flat)
        return rows.to(gradient.dtype), None, None, None, None, None
