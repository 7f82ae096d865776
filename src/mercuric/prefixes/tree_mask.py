"""How does a tree reach the attention of a model whose code knows no trees?

As its attention mask: transformers hands a mask of four dimensions through to every layer untouched. There
``scaled_dot_product_attention`` meets it, and computes by the tree's plan; whatever else is done to the mask
finds numbers to add to products, as attention in plain PyTorch wants them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.prefixes.attention import tree_attention
from mercuric.prefixes.plan import AttentionPlan, attention_plan
from mercuric.prefixes.tree import PrefixTree, allowed

_ABOUT = ("__get__", "dim", "size", "stride", "numel", "is_floating_point")
"""Functions that ask for a tensor's metadata alone."""


class Sights:
    """Which node of a tree sees which, in the forms that attention asks for."""

    def __init__(self, tree: PrefixTree) -> None:
        self.tree = tree
        self._allowed: dict[torch.device, Tensor] = {}

    @cached_property
    def plan(self) -> AttentionPlan:
        return attention_plan(self.tree.end, self.tree.seen)

    def allowed(self, device: torch.device) -> Tensor:
        """Whether a query (a row) attends to a key (a column), (1, 1, nodes, nodes)."""
        if device not in self._allowed:
            flags = torch.from_numpy(allowed(self.tree.end, self.tree.seen))
            self._allowed[device] = flags[None, None].to(device)
        return self._allowed[device]

    def added(self, mask: "TreeMask") -> Tensor:
        """Zero, or the least number of ``mask``'s type where a key is hidden."""
        numbers = torch.zeros(mask.shape, dtype=mask.dtype, device=mask.device)
        return numbers.masked_fill_(~self.allowed(mask.device), torch.finfo(mask.dtype).min)


class TreeMask(Tensor):
    """The mask (1, 1, nodes, nodes) of a tree; its numbers are made where somebody wants them.

    Attributes:
        sights: of the tree.
        asked: what the model was asked for, which the hooks of a handle find here.
    """

    sights: Sights
    asked: Any

    @staticmethod
    def of(tree: PrefixTree, asked: object, like: Tensor) -> "TreeMask":
        """A mask of the type and device of ``like``, a parameter of the model."""
        # Whoever reads it past __torch_function__ shall not take it for a mask that hides nothing.
        numbers = like.new_full((), torch.nan)
        mask = numbers.expand(1, 1, len(tree), len(tree)).as_subclass(TreeMask)
        mask.sights, mask.asked = Sights(tree), asked
        return mask

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        with torch._C.DisableTorchFunctionSubclass():
            if func is F.scaled_dot_product_attention:
                return _attention(*args, **given)
            if func in (Tensor.detach, Tensor.to, Tensor.contiguous):
                return args[0]
            if getattr(func, "__name__", "") in _ABOUT:
                return func(*args, **given)
            return func(*map(_numbers, args), **{name: _numbers(one) for name, one in given.items()})


def _numbers(one: Any) -> Any:
    return one.sights.added(one) if isinstance(one, TreeMask) else one


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: TreeMask,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if enable_gqa:
        times = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    sights = attn_mask.sights
    if dropout_p == 0 and query.device.type == "cpu" and query.shape == key.shape == value.shape:
        return tree_attention(query, key, value, sights.plan, scale)
    visible = sights.allowed(query.device)
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=visible, dropout_p=dropout_p, is_causal=is_causal, scale=scale
    )
