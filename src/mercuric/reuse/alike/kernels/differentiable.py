"""How is a product with reuse differentiated, as often as asked?

While it is held fixed which window takes whose result, the product is linear in the inputs and in the
weight. So its gradients are linear in all they are made of, and theirs are products and gradients again.
"""

from typing import Any, Protocol

from torch import Tensor, zeros_like

from mercuric.reuse.transforms import WithoutRules, refuse_batches

Needed = tuple[bool, bool, bool]
Assignment = tuple[Tensor, ...]
"""Tensors that say which window takes whose result."""
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]


class Kernel(Protocol):
    """Computes a product and its gradients."""

    def product(self, inputs: Tensor, weight: Tensor, bias: Tensor | None, assignment: Assignment) -> Tensor:
        """Dot products of every window with every filter, those of alike windows computed once."""

    def gradients(
        self, gradient: Tensor, inputs: Tensor, weight: Tensor, needed: Needed, assignment: Assignment
    ) -> Gradients:
        """Of the inputs, the weight and the bias, of those that are ``needed``."""


def differentiable_product(
    kernel: Kernel,
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *assignment: Tensor,
    to_inputs: bool = True,
) -> Tensor:
    """``kernel.product``, with exact gradients of any order.

    Args:
        kernel: computes it.
        inputs, weight, bias: what is multiplied.
        assignment: which window takes whose result.
        to_inputs: whether the inputs get the gradient; else only gradients of gradients reach them.
    """
    refuse_batches("", inputs, weight, bias)
    product: Tensor = _Product.apply(  # type: ignore[no-untyped-call]
        kernel, to_inputs, inputs, weight, bias, *assignment
    )
    return product


class _Product(WithoutRules):
    @staticmethod
    def forward(
        kernel: Kernel,
        _to_inputs: bool,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        *assignment: Tensor,
    ) -> Tensor:
        offset = None if bias is None else bias.resolve_neg()
        return kernel.product(inputs.resolve_neg(), weight.resolve_neg(), offset, assignment)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.kernel, ctx.to_inputs, values, weight, _, *assignment = inputs
        ctx.save_for_backward(values, weight, *assignment)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, weight, *assignment = ctx.saved_tensors
        to_values, to_weight, to_bias = ctx.needs_input_grad[2:5]
        needed = (to_values and ctx.to_inputs, to_weight, to_bias)
        found = _gradients(ctx.kernel, needed, gradient, values, weight, *assignment)
        return None, None, *found, *(None for _ in assignment)


class _Gradients(WithoutRules):
    @staticmethod
    def forward(
        kernel: Kernel, needed: Needed, gradient: Tensor, inputs: Tensor, weight: Tensor, *assignment: Tensor
    ) -> Gradients:
        return kernel.gradients(
            gradient.resolve_neg(), inputs.resolve_neg(), weight.resolve_neg(), needed, assignment
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Gradients) -> None:  # noqa: ARG004
        ctx.kernel, _, gradient, values, weight, *assignment = inputs
        ctx.save_for_backward(gradient, values, weight, *assignment)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *towards: Tensor | None) -> tuple[Tensor | None, ...]:
        gradient, values, weight, *assignment = ctx.saved_tensors
        of_values, of_weight, of_bias = towards
        to_gradient, to_values, to_weight = ctx.needs_input_grad[2:5]
        d_gradient = d_values = d_weight = None
        if to_gradient and of_weight is not None:
            d_gradient = differentiable_product(ctx.kernel, values, of_weight, of_bias, *assignment)
            of_bias = None
        if to_gradient and (of_values is not None or of_bias is not None):
            moved = zeros_like(values) if of_values is None else of_values.to(values.dtype)
            other = differentiable_product(ctx.kernel, moved, weight, of_bias, *assignment)
            d_gradient = other if d_gradient is None else d_gradient + other
        if to_values and of_weight is not None:
            d_values = _gradients(ctx.kernel, (True, False, False), gradient, values, of_weight, *assignment)[
                0
            ]
        if to_weight and of_values is not None:
            d_weight = _gradients(ctx.kernel, (False, True, False), gradient, of_values, weight, *assignment)[
                1
            ]
        return None, None, d_gradient, d_values, d_weight, *(None for _ in assignment)


def _gradients(
    kernel: Kernel, needed: Needed, gradient: Tensor, inputs: Tensor, weight: Tensor, *assignment: Tensor
) -> Gradients:
    refuse_batches("", gradient)
    found: Gradients = _Gradients.apply(  # type: ignore[no-untyped-call]
        kernel, needed, gradient, inputs, weight, *assignment
    )
    return found
