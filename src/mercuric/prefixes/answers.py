"""What does a caller expect of a model, and how is it made of what the model says of a tree's nodes?

The states of a network, or logits with or without a loss, or the scores that TRL's fused head gives.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.prefixes.batch import Batch
from mercuric.prefixes.late import chosen_rows
from mercuric.prefixes.tree import Flags, Integers, PrefixTree

IGNORED = -100
"""The label of what is not scored."""


class Answer(Protocol):
    """What one caller expects, and the tree that stands for its batch.

    Attributes:
        arguments: what the model gets in place of the caller's, beside the tree itself.
    """

    arguments: dict[str, Any]

    def inside(self, states: Tensor) -> Tensor:
        """What the head gets of the network's last states (1, nodes, features)."""

    def made(self, output: Any) -> Any:
        """The caller's output, of the model's."""


class Pairs(NamedTuple):
    """Distinct pairs of a node and a label that it is scored by.

    Attributes:
        nodes: of each pair.
        labels: of each pair.
        counts: how often each occurs in the batch.
        scored: whether a position is scored at all, as the labels.
        which: the pair of each position that is.
    """

    nodes: Integers
    labels: Integers
    counts: Integers
    scored: Flags
    which: Integers


def label_pairs(where: Integers, labels: Integers) -> Pairs:
    """The pairs of nodes and labels, both (sequences, length)."""
    scored = labels != IGNORED
    nodes, wanted = where[scored], labels[scored]
    span = int(wanted.max(initial=0)) - int(wanted.min(initial=0)) + 1
    _, first, which, counts = np.unique(
        nodes * span + wanted, return_index=True, return_inverse=True, return_counts=True
    )
    return Pairs(nodes[first], wanted[first], counts, scored, which)


class States:
    """Of a network without a head: the last states, and the others where they are asked for."""

    def __init__(self, tree: PrefixTree, given: Mapping[str, Any]) -> None:
        self.arguments: dict[str, Any] = {}
        self._where = torch.from_numpy(tree.where).to(given["input_ids"].device)

    def inside(self, states: Tensor) -> Tensor:
        return states

    def made(self, output: Any) -> Any:
        last = chosen_rows(output.last_hidden_state[0], self._where)
        return changed(output, last_hidden_state=last, **hidden_states(output, self._where))


class Logits:
    """Of a language model: logits at all positions or those to keep, and the loss of labels."""

    def __init__(self, model: nn.Module, tree: PrefixTree, given: Mapping[str, Any]) -> None:
        self._model = model
        self._labels, self._shifted = given.get("labels"), given.get("shift_labels")
        self._items = given.get("num_items_in_batch")
        device = given["input_ids"].device
        kept = _kept_columns(tree.where.shape[1], given.get("logits_to_keep"))
        nodes, places = np.unique(tree.where[:, kept], return_inverse=True)
        self._where = torch.from_numpy(tree.where).to(device)
        self._places = torch.from_numpy(places.reshape(len(tree.where), -1)).to(device)
        self.arguments: dict[str, Any] = {
            "labels": None, "shift_labels": None, "num_items_in_batch": None,
            "logits_to_keep": 0 if len(nodes) == len(tree) else torch.from_numpy(nodes).to(device),
        }  # fmt: skip

    @staticmethod
    def wanted(batch: Batch, given: Mapping[str, Any]) -> Flags | None:
        """Positions that the output is made of; None for all."""
        kept = _kept_columns(batch.tokens.shape[1], given.get("logits_to_keep"))
        if given.get("output_hidden_states") or len(kept) == batch.tokens.shape[1]:
            return None
        wanted = np.zeros(batch.tokens.shape, dtype=np.bool_)
        wanted[:, kept] = True
        return wanted

    def inside(self, states: Tensor) -> Tensor:
        return states

    def made(self, output: Any) -> Any:
        rows, labelled = output.logits[0], self._labels is not None
        logits = chosen_rows(rows, self._places, late=labelled)
        loss = self._loss(rows, logits) if labelled else None
        return changed(output, loss=loss, logits=logits, **hidden_states(output, self._where))

    def _loss(self, rows: Tensor, logits: Tensor) -> Tensor:
        from transformers.loss.loss_utils import ForCausalLMLoss

        model: Any = self._model
        if model.loss_function is not ForCausalLMLoss:
            more = {"num_items_in_batch": self._items, "shift_labels": self._shifted}
            given = {name: one for name, one in more.items() if one is not None}
            loss: Tensor = model.loss_function(
                logits=logits, labels=self._labels, vocab_size=model.config.vocab_size, **given
            )
            return loss
        pairs = label_pairs(*_scored_by(self._places.cpu().numpy(), self._labels, self._shifted))
        nodes, labels, counts = (
            torch.from_numpy(one).to(rows.device) for one in (pairs.nodes, pairs.labels, pairs.counts)
        )
        each = F.cross_entropy(rows[nodes].float(), labels, reduction="none")
        items = counts.sum() if self._items is None else self._items
        return (each * counts).sum() / (items.to(each.device) if isinstance(items, Tensor) else items)


class Scores:
    """Of a language model with TRL's fused head: numbers of each position that a label scores."""

    def __init__(self, tree: PrefixTree, given: Mapping[str, Any]) -> None:
        device = given["input_ids"].device
        self._items = given.get("num_items_in_batch")
        pairs = label_pairs(*_scored_by(tree.where, given.get("labels"), given.get("shift_labels")))
        nodes, labels, which, scored = (
            torch.from_numpy(one).to(device) for one in (pairs.nodes, pairs.labels, pairs.which, pairs.scored)
        )
        self._nodes, self._which, self._scored = nodes, which, scored
        self.arguments: dict[str, Any] = {
            "labels": None, "shift_labels": labels[None], "num_items_in_batch": None,
        }  # fmt: skip

    @staticmethod
    def wanted(batch: Batch, given: Mapping[str, Any]) -> Flags:
        """Positions that a label scores."""
        columns = np.broadcast_to(np.arange(batch.tokens.shape[1]), batch.tokens.shape)
        _, labels = _scored_by(columns, given.get("labels"), given.get("shift_labels"))
        wanted = np.zeros(batch.tokens.shape, dtype=np.bool_)
        wanted[:, : labels.shape[1]] = labels != IGNORED
        return wanted

    def inside(self, states: Tensor) -> Tensor:
        return states[:, self._nodes]

    def made(self, output: Any) -> Any:
        alone = (1, len(self._nodes))
        found = {
            name: self._each(one)
            for name, one in output.items()
            if isinstance(one, Tensor) and one.shape == alone
        }
        items = self._scored.sum().clamp(min=1) if self._items is None else self._items
        found |= {"loss": -found["log_probs"].sum() / items, "label_mask": self._scored}
        return changed(output, **found)

    def _each(self, numbers: Tensor) -> Tensor:
        made = numbers.new_zeros(self._scored.shape)
        return made.masked_scatter(self._scored, chosen_rows(numbers[0], self._which))


def _kept_columns(length: int, keep: int | Tensor | None) -> Integers:
    columns = np.arange(length)
    return columns[keep.cpu().numpy()] if isinstance(keep, Tensor) else columns[-keep if keep else 0 :]


def _scored_by(places: Integers, labels: Tensor | None, shifted: Tensor | None) -> tuple[Integers, Integers]:
    """Places and the labels that score them: those of the next token, or labels that were moved before."""
    if shifted is not None:
        return places, shifted.detach().cpu().numpy()
    if labels is None:
        return places[:, :0], np.zeros((len(places), 0), dtype=np.int64)
    return places[:, :-1], labels.detach().cpu().numpy()[:, 1:]


def hidden_states(output: Any, where: Tensor) -> dict[str, Any]:
    """The field of that name for all positions, where the output has it."""
    states = getattr(output, "hidden_states", None)
    return {} if states is None else {"hidden_states": tuple(chosen_rows(one[0], where) for one in states)}


def changed(output: Any, **fields: Any) -> Any:
    """An output of the same class with other fields, all in their order."""
    before = {name: getattr(output, name, None) for name in type(output).__dataclass_fields__}
    return type(output)(**{**before, **fields})
