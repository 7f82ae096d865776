"""Which translation does a network find most probable?"""

from typing import Protocol

import torch
from torch import Tensor

from mercuric.data.vocabulary import BOS, EOS, PAD
from mercuric.errors import ArgumentError


class Translator(Protocol):
    """What decoding needs of a network; ``mercuric.zoo.transformer.Transformer`` has it."""

    def encode(self, source: Tensor) -> Tensor:
        """Source ids (B, S) to a memory (B, S, features)."""
        ...

    def decode(self, memory: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
        """States (B, T, features) of target ids (B, T); ``hidden`` (B, S) marks the source's padding."""
        ...

    def logits(self, states: Tensor) -> Tensor:
        """States (..., features) to logits (..., vocabulary)."""
        ...


@torch.no_grad()
def beam_search(
    model: Translator, source: Tensor, limits: Tensor, beam: int = 4, length_penalty: float = 0.6
) -> list[list[int]]:
    """The best translation of each source that a beam search finds; ``beam=1`` is greedy decoding.

    Each step keeps the ``beam`` most probable continuations of a sentence. One that ends is scored by its
    log probability over ((5 + length) / 6) ** length_penalty (Wu et al., 2016, section 7), its end included.
    A sentence is done when no hypothesis that goes on can still reach the best score that ended.

    Args:
        model: on ``source``'s device, in evaluation mode.
        source: (B, S) int64 ids, padded.
        limits: (B,) int64, the longest translation of each, in ids with the end; one that reaches it ends.
        beam: hypotheses a sentence.
        length_penalty: 0 compares log probabilities, larger values prefer longer translations.

    Returns:
        For each sentence the ids between begin and end.

    Raises:
        ValueError: ``beam`` or a limit is below 1, or ``length_penalty`` is negative.
    """
    _check(limits, beam, length_penalty)
    best: list[list[int]] = [[] for _ in source]
    best_scores = torch.full((len(source),), -torch.inf, device=source.device)
    sentences = torch.arange(len(source), device=source.device)
    memory, hidden = model.encode(source), source == PAD
    tokens = torch.full((len(source), 1, 1), BOS, device=source.device)
    scores = torch.zeros(len(source), 1, device=source.device)
    while len(sentences):
        tokens, scores = _continue(model, memory, hidden, tokens, scores, beam)
        length = tokens.shape[2] - 1
        ended = (tokens[:, :, -1] == EOS) | (length >= limits[:, None])
        values = scores.masked_fill(~ended, -torch.inf) / _penalty(length, length_penalty)
        value, which = values.max(1)
        for row in (value > best_scores).nonzero().flatten().tolist():
            best[sentences[row]] = _between(tokens[row, which[row]].tolist())
        best_scores = torch.maximum(best_scores, value)
        scores = scores.masked_fill(ended, -torch.inf)
        # Log probabilities only fall, and the longest translation divides them by the most.
        going = scores.amax(1) / _penalty(limits, length_penalty) > best_scores
        sentences, memory, hidden, tokens, scores, limits, best_scores = (
            state[going] for state in (sentences, memory, hidden, tokens, scores, limits, best_scores)
        )
    return best


def _check(limits: Tensor, beam: int, length_penalty: float) -> None:
    if beam < 1:
        raise ArgumentError(f"beam was {beam}, but it must be at least 1")
    if not length_penalty >= 0:
        raise ArgumentError(f"length_penalty was {length_penalty}, but it must be at least 0")
    if (limits < 1).any():
        raise ArgumentError(f"limits held {int(limits.min())}, but each must be at least 1")


def _continue(
    model: Translator, memory: Tensor, hidden: Tensor, tokens: Tensor, scores: Tensor, beam: int
) -> tuple[Tensor, Tensor]:
    """The most probable continuations by one id: tokens (B, K, T + 1) and log probabilities (B, K)."""
    sentences, hypotheses, length = tokens.shape
    states = model.decode(
        memory.repeat_interleave(hypotheses, 0), tokens.flatten(0, 1), hidden.repeat_interleave(hypotheses, 0)
    )
    logits = model.logits(states[:, -1]).float()
    logits[:, [PAD, BOS]] = -torch.inf
    following = scores[:, :, None] + logits.log_softmax(-1).view(sentences, hypotheses, -1)
    vocabulary = following.shape[2]
    kept, chosen = following.flatten(1).topk(min(beam, hypotheses * vocabulary))
    origin = tokens.gather(1, (chosen // vocabulary)[:, :, None].expand(-1, -1, length))
    return torch.cat([origin, (chosen % vocabulary)[:, :, None]], 2), kept


def _penalty(length: int | Tensor, strength: float) -> float | Tensor:
    return ((5 + length) / 6) ** strength


def _between(ids: list[int]) -> list[int]:
    return ids[1:-1] if ids[-1] == EOS else ids[1:]
