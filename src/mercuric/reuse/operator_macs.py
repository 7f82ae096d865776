"""How many multiply-accumulates does an operator of PyTorch make?"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

_aten = torch.ops.aten


def operator_macs(operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> int | None:
    """Multiply-accumulates of one call of an ``OpOverloadPacket``; None for one that multiplies no matrices.

    By the formulas of PyTorch's ``FlopCounterMode``, and where it has none by these.
    """
    known = pytorch_flops().get(operator)
    if known is not None:
        return int(known(*args, **kwargs, out_val=output)) // 2
    formula = _FORMULAS.get(operator)
    return None if formula is None else formula(*args)


def counts(operator: Any) -> bool:
    """Whether the operator is counted as it is, and not by what it is made of."""
    return operator in pytorch_flops() or operator in _FORMULAS


@cache
def pytorch_flops() -> dict[Any, Callable[..., Any]]:
    """PyTorch's own formulas, twice the multiply-accumulates each."""
    from torch.utils.flop_counter import flop_registry  # imports Triton

    return flop_registry


def attention_macs(query: Tensor, value: Tensor) -> int:
    """Of softmax(Q K^T) V: every query (..., L, d) with every key, and weights times values (..., S, e)."""
    keys, width = value.shape[-2:]
    return query.shape[:-1].numel() * keys * (query.shape[-1] + width)


def multihead_attention_macs(width: int, query: Tensor, key: Tensor, value: Tensor, sequences: int) -> int:
    """Of the rows of ``nn.MultiheadAttention`` with its four projections; inputs hold all sequences."""
    keys = key.numel() // key.shape[-1] // max(1, sequences)
    return width * (2 * query.numel() + key.numel() + value.numel()) + 2 * query.numel() * keys


def _attention(query: Tensor, _: Tensor, value: Tensor, *_rest: Any) -> int:
    return attention_macs(query, value)


def _native_attention(query: Tensor, key: Tensor, value: Tensor, width: int, *_: Any) -> int:
    return multihead_attention_macs(width, query, key, value, len(query))


def _recurrent(steps: Tensor, input_weight: Tensor, hidden_weight: Tensor, *_: Any) -> int:
    return steps.shape[:-1].numel() * (input_weight.numel() + hidden_weight.numel())


def _sum_and_product(_: Tensor, left: Tensor, right: Tensor, *_rest: Any) -> int:
    return left.numel() * right.shape[1:].numel()


def _vector_product(left: Tensor, *_: Any) -> int:
    return left.numel()


_FORMULAS: dict[Any, Callable[..., int]] = {
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    _aten._native_multi_head_attention: _native_attention,
    _aten.mkldnn_rnn_layer: _recurrent,
    _aten._addmm_activation: _sum_and_product,
    _aten.addmv: _sum_and_product,
    _aten.mv: _vector_product,
    _aten.dot: _vector_product,
    _aten.vdot: _vector_product,
}
