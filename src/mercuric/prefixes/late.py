"""How is a large output given back that perhaps nobody reads?"""

from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._pytree import tree_map


class LateRows(Tensor):
    """A tensor whose rows are copies of fewer ones, made when an operation first reads it.

    A model that is given labels gives back a loss and all its logits, which in training nobody looks at.
    """

    rows: Tensor
    places: Tensor
    made: Tensor | None
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, rows: Tensor, where: Tensor) -> Self:
        shape = (*where.shape, *rows.shape[1:])
        late = Tensor._make_wrapper_subclass(cls, shape, dtype=rows.dtype, device=rows.device)
        late.rows, late.places, late.made = rows, where, None
        found: Self = late
        return found

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return repr(self.whole())

    def whole(self) -> Tensor:
        """The tensor itself, without its history."""
        if self.made is None:
            self.made = _chosen(self.rows, self.places)
        return self.made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        args, kwargs = tree_map(lambda one: one.whole() if isinstance(one, LateRows) else one, (args, kwargs))
        return func(*args, **(kwargs or {}))


def chosen_rows(rows: Tensor, where: Tensor, late: bool = False) -> Tensor:
    """``rows[where]``, for rows (count, ...) and ``where`` of any shape; differentiable.

    Args:
        rows: what is copied.
        where: which row stands at each place.
        late: copy when somebody reads it, if ever.
    """
    if (late or rows.element_size() == 2) and rows.requires_grad and torch.is_grad_enabled():
        found: Tensor = _Chosen.apply(rows, where, late)  # type: ignore[no-untyped-call]
        return found
    return _chosen(rows, where)


def _chosen(rows: Tensor, where: Tensor) -> Tensor:
    return rows.index_select(0, where.reshape(-1)).view(*where.shape, *rows.shape[1:])


class _Chosen(torch.autograd.Function):
    """Gradients of 16 bits are added up in 32: in 16 a sum stops at 256 or 2048 times what is added."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, where: Tensor, late: bool) -> Tensor:
        ctx.save_for_backward(where)
        ctx.count = len(rows)
        return LateRows(rows.detach(), where) if late else _chosen(rows, where)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (where,) = ctx.saved_tensors
        flat = gradient.reshape(where.numel(), *gradient.shape[where.ndim :])
        exact = flat.to(torch.promote_types(flat.dtype, torch.float32))
        sums = exact.new_zeros(ctx.count, *flat.shape[1:])
        return sums.index_add(0, where.reshape(-1), exact).to(gradient.dtype), None, None
