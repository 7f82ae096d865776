"""What does a training loop see of sentence pairs?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mercuric.data.sentence_pairs import PARTS, Pair
from mercuric.data.split import check_count, check_indices
from mercuric.data.tsv import read_pairs
from mercuric.data.vocabulary import BOS, DEFAULT_SIZE, EOS, PAD, Vocabulary, cached_vocabulary
from mercuric.errors import ArgumentError


@dataclass(frozen=True)
class TextSplit:
    """The training, validation or test sentences.

    Attributes:
        sources: the sentences to translate.
        targets: a translation of each.
        vocabulary: the subwords of both.
        source_ids: the ids of each source.
        target_ids: the ids of each target, between begin and end.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    vocabulary: Vocabulary = field(repr=False)
    source_ids: tuple[Tensor, ...] = field(init=False, repr=False, compare=False)
    target_ids: tuple[Tensor, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sources, targets = (self.vocabulary.encode(side) for side in (self.sources, self.targets))
        object.__setattr__(self, "source_ids", tuple(torch.tensor(ids) for ids in sources))
        object.__setattr__(self, "target_ids", tuple(torch.tensor([BOS, *ids, EOS]) for ids in targets))

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.sources)

    def few(self, count: int) -> Tensor:
        """(count,) int64: which pairs stand for all, the first ones.

        Raises:
            ValueError: ``count`` is not from 1 to ``len(self)``.
        """
        check_count(count, len(self))
        return torch.arange(count)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The pairs at ``indices`` (B,), padded on the right to the longest of them.

        Returns:
            int64 ids of sources (B, S), and of targets (B, T) that begin with 1 and end with 2; 0 pads.

        Raises:
            ValueError: ``indices`` is no int64 vector of indices from 0 to ``len(self) - 1``.
        """
        check_indices(indices, len(self))
        places = indices.tolist()
        return padded([self.source_ids[i] for i in places]), padded([self.target_ids[i] for i in places])


@dataclass(frozen=True)
class TextData:
    """Sentences in two languages: what ``mercuric.data.load`` returns for them.

    Attributes:
        name: what ``load`` was asked for.
        vocabulary: the subwords of both languages, learned from the training sentences.
        train: what to train on.
        validation: what to choose settings by, where there is such a part.
        test: what to measure BLEU on.
    """

    name: str
    vocabulary: Vocabulary
    train: TextSplit
    validation: TextSplit | None
    test: TextSplit


def padded(sentences: Sequence[Tensor]) -> Tensor:
    """Vectors of ids as one (B, longest) int64 tensor, 0 on the right."""
    if not sentences:
        return torch.empty(0, 0, dtype=torch.int64)
    return pad_sequence(list(sentences), batch_first=True, padding_value=PAD)


def load_text(
    name: str, folder: Path, remedy: str, vocabulary_size: int | None = None, max_words: int | None = None
) -> TextData:
    """Read ``train.tsv``, ``test.tsv`` and, where it is there, ``validation.tsv`` of a folder.

    The vocabulary is that of all training sentences, whatever ``max_words`` is, and is kept beside them.

    Args:
        name: the data set's name.
        folder: where the files lie.
        remedy: what the user can do where one is missing, as an imperative.
        vocabulary_size: subwords of the vocabulary, at most (8000).
        max_words: pairs with a sentence of more words are left out of every part; all are kept by default.

    Raises:
        ValueError: ``vocabulary_size`` is below 8, or ``max_words`` leaves a part empty.
        MercuricError: a file is missing or is no table of sentence pairs.
    """
    pairs = {
        part: read_pairs(folder / f"{part}.tsv", remedy)
        for part in PARTS
        if part != "validation" or (folder / "validation.tsv").exists()
    }
    size = DEFAULT_SIZE if vocabulary_size is None else vocabulary_size
    vocabulary = cached_vocabulary(folder, pairs["train"], size)
    splits = {part: _split(part, found, vocabulary, max_words) for part, found in pairs.items()}
    return TextData(name, vocabulary, splits["train"], splits.get("validation"), splits["test"])


def _split(part: str, pairs: Sequence[Pair], vocabulary: Vocabulary, max_words: int | None) -> TextSplit:
    kept = [
        pair for pair in pairs if max_words is None or all(len(side.split()) <= max_words for side in pair)
    ]
    if not kept:
        raise ArgumentError(f"max_words was {max_words}, but every pair of {part}.tsv has a longer sentence")
    sources, targets = zip(*kept, strict=True)
    return TextSplit(sources, targets, vocabulary)
