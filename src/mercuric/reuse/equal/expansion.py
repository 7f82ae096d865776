"""Which dense tensor does a shared one stand for?"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from mercuric.reuse.equal.kernels import expand
from mercuric.reuse.equal.pass_record import unseen_by_checkpoints
from mercuric.reuse.equal.shared_tensor import SharedTensor, autograd_knows_more, version_of
from mercuric.reuse.equal.strides import laid_out
from mercuric.reuse.equal.table import table_of


def dense(value: Tensor, function: str) -> Tensor:
    """The plain tensor that a shared one stands for, with its graph; another one as it is.

    Args:
        value: shared or not.
        function: who asks for it.
    """
    if not isinstance(value, SharedTensor):
        return value
    if autograd_knows_more(value):
        return _Unwrapped.apply(value)  # type: ignore[no-any-return, no-untyped-call]
    return _standing_for(value, function)


def copied(value: Tensor) -> Tensor:
    """A plain tensor of the same numbers without their graph, which ``value`` does not keep."""
    table = table_of(value)
    if table is None:
        return dense(value, "a copy").detach()
    return _at_each_position(table.tensor, table.rows.detach())


def _standing_for(value: SharedTensor, function: str) -> Tensor:
    """The plain tensor, of one that autograd knows the rows of."""
    if value._view is not None and not value._view.current:
        return _expanded(value, function)
    if value._dense is None:
        value._used = True
        # Whoever asks first, without gradients perhaps, is not the last.
        gradient = value._rows is not None and value._rows.requires_grad
        with torch.set_grad_enabled(gradient), unseen_by_checkpoints():
            value._dense = _expanded(value, function)
        value._written_at = version_of(value._dense)
        value._record.expands(function, value._dense.numel())
    elif not value._used:
        value._used = True
        value._record.expands(function, 0)  # the model was given it
    return value._dense


def _expanded(value: SharedTensor, function: str) -> Tensor:
    if value._view is not None:
        return value._view.function(dense(value._view.base, function))
    assert value._rows is not None  # noqa: S101 - autograd would know more
    return laid_out(_at_each_position(value, value._rows), value._strides)


def _at_each_position(value: SharedTensor, rows: Tensor) -> Tensor:
    return expand(rows, value._classes.ids).movedim(-1, value._channel).reshape(value.shape)


def numbers_of(value: Any) -> Any:
    """What a shared tensor holds, without its graph."""
    if not isinstance(value, SharedTensor):
        return value
    if value._rows is not None:
        with torch.no_grad():
            return _standing_for(value, "a custom function").detach()
    assert value._dense is not None  # noqa: S101 - it was settled
    return value._dense.detach()


class _Unwrapped(Function):
    """The plain tensor of a shared one whose gradient flows through its own node."""

    @staticmethod
    def forward(ctx: Any, value: SharedTensor) -> Tensor:  # noqa: ARG004
        return numbers_of(value).clone()  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:  # noqa: ARG004
        return gradients[0]
