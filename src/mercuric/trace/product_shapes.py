"""What are the input vectors of a product that no layer stands for?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import Granularity, Scope, VectorShape

aten = torch.ops.aten


@dataclass(frozen=True)
class Part:
    """One product of an operation; an operation may make several.

    Attributes:
        shape: its input vectors.
        kind: how it is laid out.
        inputs: words of the operand whose vectors they are, each counted once.
        needs_input_gradient: whether training needs the gradients of both operands.
    """

    shape: VectorShape
    kind: Kind
    inputs: int
    needs_input_gradient: bool


@dataclass(frozen=True)
class Layout:
    """How vectors are taken from a convolution's input, and which tensors are weights.

    Attributes:
        granularity: what an input vector spans; where it divides no channels, all of them.
        scope: what clears the MCACHE.
        is_weight: whether a tensor is a parameter, or a view of one.
    """

    granularity: Granularity
    scope: Scope
    is_weight: Callable[[Tensor], bool]


def parts_of(operation: Any, args: tuple[Any, ...], out: Any, layout: Layout) -> list[Part] | None:
    """The products of one call of an operation of PyTorch; None where its form isn't known here."""
    form = _FORMS.get(operation)
    return None if form is None else form(args, out, layout)


def _matrices(args: tuple[Any, ...], _: Any, layout: Layout) -> list[Part]:
    left, right = args[-2:]
    if layout.is_weight(left) and not layout.is_weight(right):
        left, right = right.mT, left.mT
    scopes = left.shape[0] if left.dim() == 3 else 1
    kind: Kind = "attention" if left.dim() == 3 else "linear"
    return [_rows(left, scopes, left.shape[-2], right.shape[-2], right.shape[-1], kind, right)]


def _rows(
    x: Tensor,
    scopes: int,
    vectors: int,
    length: int,
    filters: int,
    kind: Kind,
    other: Tensor,
    images: int = 1,
) -> Part:
    shape = VectorShape(scopes, vectors, 1, length, filters, images)
    return Part(shape, kind, scopes * vectors * length, x.requires_grad and other.requires_grad)


def _convolution(args: tuple[Any, ...], out: Tensor, layout: Layout) -> list[Part]:
    x, weight, transposed, groups = args[0], args[1], args[6], args[8]
    images = x.shape[0]
    shape = (
        _spread_pixels(x, weight, groups)
        if transposed
        else _windows(x, weight, out, groups, layout.granularity)
    )
    if layout.scope == "batch":
        scopes = shape.scopes // max(images, 1)
        shape = VectorShape(
            scopes, shape.vectors * images, shape.rows, shape.elements, shape.filters, depth=shape.depth,
            output_rows=(shape.output_rows or 0) * images or None,
        )  # fmt: skip
    inputs = min(x.numel(), shape.scopes * shape.vectors * shape.length)
    return [Part(shape, "conv", inputs, x.requires_grad and weight.requires_grad)]


def _windows(x: Tensor, weight: Tensor, out: Tensor, groups: int, granularity: Granularity) -> VectorShape:
    """Windows of two dimensions: one of more is a sum of so many, one of one has a single row."""
    filters, channels, *kernel = weight.shape
    *deep, height, width = (1, *kernel)
    span = channels
    if granularity != "patch" and prod(kernel) > 1:
        wanted = 1 if granularity == "channel" else granularity
        span = channels if channels % wanted else wanted
    depth = channels // span * prod(deep)
    scopes = x.shape[0] * groups * depth
    sides = out.shape[2:]
    return VectorShape(
        scopes, prod(sides), height, span * width, filters // groups, x.shape[0], depth, prod(sides[:-1])
    )


def _spread_pixels(x: Tensor, weight: Tensor, groups: int) -> VectorShape:
    """A transposed convolution multiplies every pixel's channels with every element of every filter."""
    channels, filters, *kernel = weight.shape
    scopes, sides = x.shape[0] * groups, x.shape[2:]
    return VectorShape(
        scopes, prod(sides), 1, channels // groups, filters * prod(kernel), x.shape[0],
        output_rows=prod(sides[:-1]),
    )  # fmt: skip


def _attention(args: tuple[Any, ...], _: Any, __: Layout) -> list[Part]:
    query, key, value = args[:3]
    scopes, (rows, length), keys = prod(query.shape[:-2]), query.shape[-2:], key.shape[-2]
    return [
        _rows(query, scopes, rows, length, keys, "attention", key),
        _rows(query, scopes, rows, keys, value.shape[-1], "attention", value),
    ]


def _recurrent(args: tuple[Any, ...], _: Any, __: Layout) -> list[Part]:
    x, of_input, of_state = args[:3]
    steps, sequences, length = x.shape
    gates, state = of_state.shape
    return [
        _rows(x, 1, steps * sequences, length, gates, "linear", of_input),
        _rows(of_state, steps, sequences, state, gates, "linear", of_state, images=steps),
    ]


_Form = Callable[[tuple[Any, ...], Any, Layout], list[Part]]
_FORMS: Mapping[Any, _Form] = {
    **dict.fromkeys((aten.mm, aten.addmm, aten.bmm, aten.baddbmm), _matrices),
    **dict.fromkeys((aten.convolution, aten._convolution, aten.convolution_overrideable), _convolution),
    **dict.fromkeys(
        (
            aten._scaled_dot_product_flash_attention_for_cpu,
            aten._scaled_dot_product_flash_attention,
            aten._scaled_dot_product_efficient_attention,
            aten._scaled_dot_product_cudnn_attention,
        ),
        _attention,
    ),
    aten.mkldnn_rnn_layer: _recurrent,
}
"""Operations whose form is known, those among them that PyTorch has no formula for."""
