"""What if the gradient of a feature map is asked for after layers have used its rows?"""

import weakref

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from mercuric.errors import ArgumentError
from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.shared_tensor import SharedTensor, is_current, root_of


def given_out(value: Tensor) -> Tensor:
    """:func:`dense` of what a model gives.

    Where functions worked on its rows as well, its own gradient lacks their part: the backward pass says so
    to who asked for it.
    """
    if not isinstance(value, SharedTensor) or not value._by_classes or not is_current(value):
        return dense(value, "the model's output")
    rows, whole = value._rows, root_of(value)._rows
    plain = dense(value, "the model's output")
    if rows is not None and whole is not None and plain.requires_grad:
        _refuse_gradients_of(plain, rows, whole)
    return plain


def require_unused(values: object) -> None:
    """Raise where the gradient of a shared tensor among these is asked for too late."""

    def check(value: object) -> None:
        if isinstance(value, SharedTensor) and value._used and value._rows is not None:
            raise _too_late(tuple(value.shape))

    tree_map(check, values)


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


def _too_late(shape: tuple[int, ...]) -> ArgumentError:
    return ArgumentError(
        f"the gradient of a feature map {shape} was asked for after layers had used it "
        "as classes, but must be asked for before (retain_grad() in the forward pass), or with its "
        "layers off (handle.switch_off)"
    )
