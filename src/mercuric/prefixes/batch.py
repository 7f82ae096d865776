"""What is a model given, and may a tree stand for it?"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mercuric.prefixes.followed import drops_at_random, least_window, why_not_followed
from mercuric.prefixes.tree import Flags, Integers

_UNDERSTOOD = {
    "attention_mask", "fused_lm_head", "input_ids", "labels", "logits_to_keep", "num_items_in_batch",
    "output_attentions", "output_hidden_states", "position_ids", "return_dict", "shift_labels", "use_cache",
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """Sequences as arrays, all (sequences, length).

    Attributes:
        tokens: their ids.
        seen: what the attention mask says of each.
        positions: their positions; None where these are the columns.
    """

    tokens: Integers
    seen: Flags
    positions: Integers | None


def named(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a call gives by place and by name, all by name."""
    names = inspect.signature(module.forward).parameters if args else ()
    return {**dict(zip(names, args, strict=False)), **kwargs}


def why_dense(model: nn.Module, given: Mapping[str, Any]) -> str | None:
    """Why a call of ``model`` is computed as it is given; None where a tree may stand for it."""
    if torch.compiler.is_compiling():
        return "it is being compiled"
    if torch._C._are_functorch_transforms_active():
        return "it is called under a transform of torch.func"
    unknown = sorted(name for name, one in given.items() if one is not None and name not in _UNDERSTOOD)
    if unknown:
        return f"the call has {unknown[0]}"
    return why_not_followed(model) or _why_not_these(given) or _why_not_now(model, given)


def why_not_scored(given: Mapping[str, Any]) -> str | None:
    """Why a head can't be told which nodes to score; None where it can. The network may be shared then."""
    tokens, labels, keep = given["input_ids"], given.get("labels"), given.get("logits_to_keep")
    if isinstance(keep, Tensor) and (keep.ndim != 1 or keep.dtype == torch.bool):
        return "logits_to_keep is not a number or a list of positions"
    for name in ("labels", "shift_labels"):
        one = given.get(name)
        if one is not None and (not isinstance(one, Tensor) or one.shape != tokens.shape):
            return f"{name} are not one number a token"
    if labels is not None and keep is not None and (isinstance(keep, Tensor) or keep):
        return "labels score positions that logits_to_keep leaves out"
    return None


def _why_not_these(given: Mapping[str, Any]) -> str | None:
    tokens, mask, positions = (given.get(name) for name in ("input_ids", "attention_mask", "position_ids"))
    if not isinstance(tokens, Tensor) or tokens.ndim != 2:
        return "input_ids are no batch of sequences"
    if tokens.shape[0] < 2 or tokens.shape[1] < 1:
        return "the batch is one sequence"
    if mask is not None and (not isinstance(mask, Tensor) or mask.shape != tokens.shape):
        return "attention_mask is not one number a token"
    shapes = (tokens.shape, (1, tokens.shape[1]))
    if positions is not None and (not isinstance(positions, Tensor) or positions.shape not in shapes):
        return "position_ids are not one number a token"
    if positions is not None and mask is None and bool((positions.diff(dim=1) != 1).any()):
        return "position_ids begin anew within a sequence, which transformers takes for packed sequences"
    return None


def _why_not_now(model: nn.Module, given: Mapping[str, Any]) -> str | None:
    config: Any = model.config
    if given.get("output_attentions", getattr(config, "output_attentions", False)):
        return "the call wants attentions"
    if given.get("return_dict", getattr(config, "return_dict", True)) is False:
        return "the call wants a tuple"
    cache = given.get("use_cache")
    # In training nobody reads on from a cache, though configurations ask for one by default.
    if cache or (cache is None and getattr(config, "use_cache", False) and not model.training):
        return "the call keeps a cache; pass use_cache=False"
    window = least_window(model)
    if window is not None and given["input_ids"].shape[1] > window:
        return "its layers attend to a window shorter than the batch"
    if drops_at_random(model):
        return "dropout is on, and each copy of a prefix drops other values"
    return None


def read_batch(given: Mapping[str, Any]) -> Batch:
    """The arrays of a call that :func:`why_dense` lets pass."""
    tokens = given["input_ids"].detach().cpu().numpy()
    mask, positions = given.get("attention_mask"), given.get("position_ids")
    seen = np.ones(tokens.shape, dtype=np.bool_) if mask is None else mask.detach().cpu().numpy() != 0
    if positions is None or positions.shape[0] == 1 or bool((positions == positions[:1]).all()):
        return Batch(tokens, seen, None)
    return Batch(tokens, seen, positions.detach().cpu().numpy())
