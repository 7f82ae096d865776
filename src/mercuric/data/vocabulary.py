"""Which subwords are sentences made of?"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mercuric.data.sentence_pairs import Pair
from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.files.writing import write_text

with needed_for("mercuric.data"):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

PAD, BOS, EOS, UNK = range(4)
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
DEFAULT_SIZE = 8000
SMALLEST_SIZE = 2 * len(SPECIAL)


@dataclass(frozen=True)
class Vocabulary:
    """A joint byte-pair encoding (Sennrich et al., ACL 2016) of both languages.

    Ids 0 to 3 are padding, begin and end of a sentence, and a character that training never saw.

    Attributes:
        tokenizer: the trained subwords.
    """

    tokenizer: Tokenizer

    def __len__(self) -> int:
        """How many subwords there are, the four special ones among them."""
        return self.tokenizer.get_vocab_size()

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """The ids of each sentence, without begin and end."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(sentences))]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The sentence of each list of ids; special ids are left out."""
        return self.tokenizer.decode_batch([list(sentence) for sentence in ids])


def train_vocabulary(sentences: Iterable[str], size: int) -> Vocabulary:
    """The byte-pair encoding of at most ``size`` subwords; equal sentences give equal subwords.

    Words are cut at white space and punctuation. Where characters alone fill half of ``size``, the rare
    ones are left out and become ``<unk>``.

    Raises:
        ValueError: ``size`` is below 8.
    """
    if size < SMALLEST_SIZE:
        raise ArgumentError(f"vocabulary_size was {size}, but it must be at least {SMALLEST_SIZE} subwords")
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNK]))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), limit_alphabet=size // 2, show_progress=False
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.encode_special_tokens = True  # "<eos>" in a sentence is text
    return Vocabulary(tokenizer)


def cached_vocabulary(folder: Path, pairs: Sequence[Pair], size: int) -> Vocabulary:
    """The vocabulary of training ``pairs``, read from or else written to a JSON file in ``folder``.

    The file is named for the size and a hash of the sentences, so that other sentences have another.

    Raises:
        ValueError: ``size`` is below 8.
        MercuricError: the file that is there is broken.
    """
    sentences = [sentence for pair in pairs for sentence in pair]
    fingerprint = hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:12]
    path = folder / f"vocabulary-{size}-{fingerprint}.json"
    if path.is_file():
        return _read(path)
    vocabulary = train_vocabulary(sentences, size)
    with suppress(OSError):  # in a read-only folder it is trained each time, to the same subwords
        write_text(path, vocabulary.tokenizer.to_str())
    return vocabulary


def _read(path: Path) -> Vocabulary:
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise MercuricError(f"{path} is broken ({error}); remove it, and it is made again") from error
    tokenizer.encode_special_tokens = True
    return Vocabulary(tokenizer)
