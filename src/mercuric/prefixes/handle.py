"""How does a model compute equal prefixes once without a change to its code?

Hooks of PyTorch look at what it is given, put a tree in its place, and make of what it says of the nodes what
the caller expects. Nothing is kept between the two: a call's tree travels with it as its attention mask.
"""

from collections import Counter
from collections.abc import Mapping
from inspect import signature
from typing import Any, NamedTuple

import torch
from torch import nn

from mercuric.errors import ArgumentError, described
from mercuric.prefixes.answers import Answer, Logits, Scores, States, changed
from mercuric.prefixes.batch import Batch, named, read_batch, why_dense, why_not_scored
from mercuric.prefixes.report import PrefixReport
from mercuric.prefixes.tree import PrefixTree, distinct_prefixes, prefix_tree
from mercuric.prefixes.tree_mask import TreeMask


class _Call(NamedTuple):
    """Whose call a tree stands for, and what its caller expects."""

    owner: nn.Module
    answer: Answer


class PrefixHandle:
    """A model that computes equal prefixes once, until :meth:`remove`.

    Attributes:
        least: the share of a batch's tokens that must repeat for the batch to become a tree.
    """

    def __init__(self, model: Any, least: float) -> None:
        self.least = least
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._model: Any = inner
        self._network: nn.Module = inner.base_model
        # Only a head of a language model is told which tokens to score.
        speaks = "logits_to_keep" in signature(type(inner).forward).parameters
        self._calls = self._shared = self._tokens = self._computed = 0
        self._dense: Counter[str] = Counter()
        hooked = dict.fromkeys([model, inner, self._network] if speaks else [self._network])
        self._hooks = [
            hook
            for module in hooked
            for hook in (
                module.register_forward_pre_hook(self._enter, with_kwargs=True),
                module.register_forward_hook(self._leave, with_kwargs=True),
            )
        ]

    def __repr__(self) -> str:
        return str(self.report())

    def report(self) -> PrefixReport:
        """What was shared so far, and which calls were not, and why."""
        return PrefixReport(self._calls, self._shared, self._tokens, self._computed, dict(self._dense))

    def remove(self) -> None:
        """Let the model compute as it did; the report stays."""
        for hook in self._hooks:
            hook.remove()

    def _enter(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        given = named(module, args, kwargs)
        if any(isinstance(one, TreeMask) for one in given.values()):
            return None
        # A call that is dense for its head is looked at again for the network, which counts it.
        counts = module is self._network
        why = why_dense(self._model, given) or (None if counts else why_not_scored(given))
        made = None if why else self._tree(module, given)
        if isinstance(made, tuple):
            tree, answer, batch = made
            self._count(batch.tokens.size, len(tree))
            return (), self._arguments(module, tree, answer, batch, given)
        if counts:
            tokens = given.get("input_ids")
            size = tokens.numel() if isinstance(tokens, torch.Tensor) else 0
            self._count(size, size, why or made)
        return None

    def _tree(self, module: nn.Module, given: Mapping[str, Any]) -> tuple[PrefixTree, Answer, Batch] | str:
        batch = read_batch(given)
        most = (1 - self.least) * batch.tokens.size
        few = f"less than {self.least:.0%} of the tokens repeat"
        fused = module is not self._network and given.get("fused_lm_head")
        wanted = None
        if module is not self._network:
            wanted = Scores.wanted(batch, given) if fused else Logits.wanted(batch, given)
        if wanted is None and distinct_prefixes(batch.tokens, batch.seen, batch.positions) > most:
            return few
        tree = prefix_tree(batch.tokens, batch.seen, batch.positions, wanted)
        if not 0 < len(tree) <= most:
            return few
        if tree.blind and self._model.config._attn_implementation != "sdpa":
            return "padding that sees nothing has numbers of its own unless attention is sdpa"
        if module is self._network:
            return tree, States(tree, given), batch
        return tree, Scores(tree, given) if fused else Logits(self._model, tree, given), batch

    def _arguments(
        self, module: nn.Module, tree: PrefixTree, answer: Answer, batch: Batch, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        device = given["input_ids"].device
        positions = batch.positions
        if positions is None and given.get("position_ids") is not None:
            positions = given["position_ids"][:1].cpu().numpy().repeat(len(batch.tokens), 0)
        places = tree.columns if positions is None else positions[tree.rows, tree.columns]
        like = next(one for one in self._network.parameters() if one.is_floating_point())
        changes = {
            "input_ids": torch.from_numpy(batch.tokens[tree.rows, tree.columns])[None].to(device),
            "position_ids": torch.from_numpy(places)[None].to(device),
            "attention_mask": TreeMask.of(tree, _Call(module, answer), like),
            "use_cache": False,
            **answer.arguments,
        }
        return {name: one for name, one in {**given, **changes}.items() if one is not None}

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        masks = [one for one in (*args, *kwargs.values()) if isinstance(one, TreeMask)]
        if not masks:
            return None
        call = masks[0].asked
        if call.owner is module:
            return call.answer.made(output)
        if module is self._network:
            return changed(output, last_hidden_state=call.answer.inside(output.last_hidden_state))
        return None

    def _count(self, tokens: int, computed: int, why: str | None = None) -> None:
        self._calls += 1
        self._tokens += tokens
        self._computed += computed
        if why is None:
            self._shared += 1
        else:
            self._dense[why] += 1


def share_prefixes(model: nn.Module, *, least: float = 0.1) -> PrefixHandle:
    """Let a causal language model of transformers compute equal prefixes of a batch once, in place.

    The sequences of a batch become a tree: tokens before which all tokens, masks and positions are the same
    are one node, which is computed once, forwards and backwards. Loss, outputs and gradients are those of the
    plain batch, up to the order of summation. Weights, ``state_dict`` and the model's class stay as they are.
    A call that no tree can stand for is computed as it is given, and the handle's report says why.

    Args:
        model: of transformers, or wrapped by PEFT: GPT-2, LLaMA, Qwen2, Qwen3 and what else
            ``mercuric.prefixes.FAMILIES`` names; attention ``sdpa`` or ``eager``.
        least: the share of a batch's tokens that must repeat (0 to 1): below it a tree doesn't pay.

    Returns:
        What tells how much was shared, and takes it back.

    Raises:
        ArgumentError: ``model`` is no model of transformers or shares already, or ``least`` is out of range.
    """
    if not isinstance(model, nn.Module) or not hasattr(model, "config") or not hasattr(model, "base_model"):
        raise ArgumentError(f"model was {described(model)}, but must be a model of transformers")
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
        raise ArgumentError(f"least was {described(least)}, but must be a share from 0 to 1")
    for module in model.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(getattr(hook, "__self__", None), PrefixHandle):
                raise ArgumentError("model shares its prefixes already: remove() its handle first")
    return PrefixHandle(model, float(least))
