"""How well does a network translate?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from unicodedata import normalize

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.data.text import TextData, padded
from mercuric.data.vocabulary import PAD, Vocabulary
from mercuric.errors import ArgumentError
from mercuric.extras import needed_for
from mercuric.training.decoding import Translator, beam_search


@dataclass(frozen=True)
class TranslationTask:
    """Translations, learned by cross entropy and tested by BLEU; a :class:`~mercuric.training.Task`.

    Attributes:
        data: the sentences.
        label_smoothing: of the training loss, from 0 to below 1.
        beam: hypotheses a test sentence; 1 decodes greedily.
        length_penalty: see ``beam_search``.
        test_sentences: how many of the test sentences, the first ones, are translated; all by default.
    """

    data: TextData
    label_smoothing: float = 0.1
    beam: int = 4
    length_penalty: float = 0.6
    test_sentences: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ArgumentError(
                f"label_smoothing was {self.label_smoothing}, but it must be from 0 to below 1"
            )
        if self.beam < 1:
            raise ArgumentError(f"beam was {self.beam}, but it must be at least 1")
        if not self.length_penalty >= 0:
            raise ArgumentError(f"length_penalty was {self.length_penalty}, but it must be at least 0")
        available = len(self.data.test)
        if self.test_sentences is not None and not 1 <= self.test_sentences <= available:
            raise ArgumentError(
                f"test_sentences was {self.test_sentences}, but it must be from 1 to {available}, "
                "the number of test sentences"
            )

    @property
    def metric(self) -> str:
        """``"bleu"``: 0 to 100."""
        return "bleu"

    @property
    def tested(self) -> int:
        """How many test sentences ``evaluate`` translates."""
        return len(self.data.test) if self.test_sentences is None else self.test_sentences

    def __len__(self) -> int:
        """How many training pairs there are."""
        return len(self.data.train)

    def loss(
        self,
        model: nn.Module,
        indices: Tensor,
        generator: torch.Generator | None = None,  # noqa: ARG002 - translation has no random choices
    ) -> Tensor:
        """See ``Task.loss``: the mean cross entropy of the target's subwords and its end."""
        source, target = (ids.to(_device(model)) for ids in self.data.train.batch(indices))
        return _cross_entropy(model, source, target, self.label_smoothing) / _predicted(target)

    def weight(self, indices: Tensor) -> int:
        """See ``Task.weight``: the target's subwords and ends."""
        return _predicted(self.data.train.batch(indices)[1])

    def evaluate(self, model: nn.Module, batch_size: int) -> dict[str, float]:
        """``test_loss``, the mean cross entropy of a subword, and ``test_bleu``; see ``Task.evaluate``."""
        was_training = model.training
        model.eval()
        try:
            return {
                "test_loss": self._test_loss(model, batch_size),
                "test_bleu": self._bleu(model, batch_size),
            }
        finally:
            model.train(was_training)

    def _test_loss(self, model: nn.Module, batch_size: int) -> float:
        loss, predicted = 0.0, 0
        with torch.no_grad():
            for indices in torch.split(torch.arange(self.tested), batch_size):
                source, target = (ids.to(_device(model)) for ids in self.data.test.batch(indices))
                loss += float(_cross_entropy(model, source, target, 0.0))
                predicted += _predicted(target)
        return loss / predicted

    def _bleu(self, model: nn.Module, batch_size: int) -> float:
        test, count = self.data.test, self.tested
        translations = translate(
            model, self.data.vocabulary, test.sources[:count], batch_size, self.beam, self.length_penalty
        )
        return bleu(translations, test.targets[:count])[0]


def translate(
    model: nn.Module,
    vocabulary: Vocabulary,
    sentences: Sequence[str],
    batch_size: int = 64,
    beam: int = 4,
    length_penalty: float = 0.6,
) -> list[str]:
    """The translation of each sentence, of at most twice its subwords and ten; none of an empty one.

    Sentences of like length are translated together. The model computes in evaluation mode;
    ``model.training`` is afterwards as it was before.

    Raises:
        ValueError: see ``beam_search``.
    """
    was_training = model.training
    model.eval()
    ids = [torch.tensor(sentence, dtype=torch.int64) for sentence in vocabulary.encode(sentences)]
    by_length = sorted((place for place in range(len(ids)) if len(ids[place])), key=lambda i: len(ids[i]))
    translated: list[list[int]] = [[] for _ in ids]
    try:
        for start in range(0, len(by_length), batch_size):
            places = by_length[start : start + batch_size]
            source = padded([ids[place] for place in places]).to(_device(model))
            limits = 2 * (source != PAD).sum(1) + 10
            found = beam_search(cast(Translator, model), source, limits, beam, length_penalty)
            for place, sentence in zip(places, found, strict=True):
                translated[place] = sentence
    finally:
        model.train(was_training)
    return vocabulary.decode(translated)


def bleu(translations: Sequence[str], references: Sequence[str]) -> tuple[float, str]:
    """Corpus BLEU, 0 to 100, and sacrebleu's signature (Post, WMT 2018): tokens of 13a, case kept.

    Both sides are composed first (Unicode's NFC), so that equal text is equal.
    """
    with needed_for("BLEU"):
        from sacrebleu.metrics.bleu import BLEU
    metric = BLEU(tokenize="13a", lowercase=False)
    composed = [[normalize("NFC", text) for text in side] for side in (translations, references)]
    score = metric.corpus_score(composed[0], [composed[1]]).score
    return float(score), str(metric.get_signature())


def _cross_entropy(model: nn.Module, source: Tensor, target: Tensor, smoothing: float) -> Tensor:
    return subword_loss(model(source, target[:, :-1]), target, smoothing)


def subword_loss(logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Sum of the cross entropies of the target's subwords and its end.

    Args:
        logits: (B, L - 1, vocabulary): what follows each subword of the target but the last.
        target: (B, L) int64, padded.
        smoothing: of labels, from 0 to below 1.
    """
    return F.cross_entropy(
        logits.flatten(0, 1),
        target[:, 1:].flatten(),
        ignore_index=PAD,
        reduction="sum",
        label_smoothing=smoothing,
    )


def _predicted(target: Tensor) -> int:
    return int((target[:, 1:] != PAD).sum())


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
