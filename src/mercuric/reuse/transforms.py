"""What do ``torch.func``'s transforms and forward-mode differentiation find in a layer with reuse?

Similarity is found in numbers, which ``torch.func.grad`` and ``vjp`` wrap: autograd functions see what is
inside. Where one call stands for many (``vmap``) or tangents travel along (``jvp``), layers refuse.
"""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import torch
from torch import Tensor
from torch._subclasses import FakeTensor
from torch.autograd import Function

Seen = TypeVar("Seen")
_INSTEAD = ", or use torch.func.grad, torch.func.vjp or backward()"


def see(name: str, look: Callable[..., Seen], *values: Tensor | None) -> Seen:
    """``look(*values)`` on the plain numbers of ``values``, of which no gradient is taken.

    Args:
        name: of the layer that looks.
        look: what it does; makes its own tensors.
        values: at least one tensor first.

    Raises:
        NotImplementedError: under ``vmap``, ``jvp`` or forward-mode differentiation, or where a graph is
            recorded, which would hold the similarity of one input for good.
    """
    if torch._C._get_tracing_state() is not None or any(isinstance(value, FakeTensor) for value in values):
        refuse(name, _RECORD, "")
    refuse_batches(name, *values)
    seen: list[Seen] = []

    def keep(*plain: Tensor | None) -> None:
        seen.append(look(*(value if value is None else value.detach().resolve_neg() for value in plain)))

    _See.apply(name, keep, *values)  # type: ignore[no-untyped-call]
    return seen[0]


def meet(name: str, *values: Tensor | None) -> None:
    """Refuse what :func:`see` refuses, before anything is computed or counted."""
    see(name, lambda *_: None, *values)


def is_wrapped(value: object) -> bool:
    """Whether a transform of ``torch.func`` has wrapped a tensor, whose numbers can't be kept."""
    return isinstance(value, Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(value)


def refuse_batches(name: str, *values: Tensor | None) -> None:
    """Refuse the batches of ``torch.autograd.grad(..., is_grads_batched=True)``, which no rule can meet."""
    for value in values:
        if value is not None and torch._C._functorch.is_legacy_batchedtensor(value):
            refuse(name, _VMAP)


def refuse(name: str, transform: str, instead: str = _INSTEAD) -> NoReturn:
    """Say that a layer knows no rule for ``transform``, and what has one beside layers that are off."""
    layer = f"layer {name!r}" if name else "a layer"
    raise NotImplementedError(
        f"{layer} was called under {transform}, which reuse has no rule for; call it with reuse off "
        f"(handle.off()){instead}"
    )


class WithoutRules(Function):
    """An autograd function that refuses ``vmap`` and ``jvp`` in one sentence."""

    @staticmethod
    def vmap(_info: Any, _in_dims: Any, *_values: Any) -> NoReturn:
        """One call for many batches."""
        refuse("", _VMAP)

    @staticmethod
    def jvp(_ctx: Any, *_tangents: Any) -> NoReturn:
        """Forward-mode differentiation."""
        refuse("", _JVP)


_VMAP = "torch.func.vmap (or what is made of it, as jacrev, jacfwd and hessian are)"
_RECORD = "torch.jit.trace, torch.export or another recorder of graphs"
_JVP = "torch.func.jvp or another forward-mode derivative"


class _See(Function):
    @staticmethod
    def forward(_name: str, keep: Callable[..., None], *values: Tensor) -> Tensor:
        keep(*values)
        return values[0].new_empty(0)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.name = inputs[0]

    @staticmethod
    def vmap(_info: Any, _in_dims: Any, name: str, *_values: Any) -> NoReturn:
        refuse(name, _VMAP)

    @staticmethod
    def jvp(ctx: Any, *_tangents: Any) -> NoReturn:
        refuse(ctx.name, _JVP)
