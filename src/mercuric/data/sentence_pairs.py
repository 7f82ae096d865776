"""Which sentences of two translated pages are a pair, and in which part of the data are they?"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Literal

Pair = tuple[str, str]
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

FEWEST_WORDS = 3
MOST_WORDS = 30
_SHARE = 20
_FIRST_COME: tuple[Part, ...] = ("train", "test", "validation")

# No sentence ends after an ordinal ("der 18. Tag") or a single letter ("z. B.").
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\d\.)(?<!\b[^\W\d_]\.)\s+(?=[^\W\d_a-zäöü]|[\"„“»(])")


def sentences(text: str) -> list[str]:
    """``text`` cut behind ``.``, ``!`` and ``?`` where an upper-case letter or a quotation follows."""
    return _SENTENCE_END.split(text)


def page_pairs(source: Mapping[str, str], target: Mapping[str, str]) -> list[Pair]:
    """The sentence pairs of elements with equal ids, in the source's order.

    Elements that have another number of sentences in the other language are left out, and so are
    pairs of equal sentences (code, names) and those with a side of fewer than 3 or more than 30 words.
    """
    found: list[Pair] = []
    for identity, text in source.items():
        here, there = sentences(text), sentences(target.get(identity, ""))
        if len(here) == len(there):
            found += [pair for pair in zip(here, there, strict=True) if _is_translation(pair)]
    return found


def _is_translation(pair: Pair) -> bool:
    return pair[0] != pair[1] and all(
        FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS for sentence in pair
    )


def part(page: str) -> Part:
    """Where a page belongs: by a hash of its name, one in 20 to test, one to validate, 18 to train."""
    drawn = _hash(page) % _SHARE
    return "test" if drawn == 0 else "validation" if drawn == 1 else "train"


def split_pages(pages: Iterable[tuple[str, Iterable[Pair]]]) -> dict[Part, list[Pair]]:
    """Sentence pairs by part, well mixed; parts share neither pages nor sentences.

    Their order follows from a hash of the source, so the first few stand for all.

    Within a part a source sentence is kept once, with its first target. A pair is left out of the test
    part where either of its sentences is in training, and out of validation where one is in either.

    Args:
        pages: (name, pairs) of each page.
    """
    by_part: dict[Part, list[Pair]] = {name: [] for name in PARTS}
    for page, pairs in pages:
        by_part[part(page)] += pairs
    sources: set[str] = set()
    targets: set[str] = set()
    kept: dict[Part, list[Pair]] = {}
    for name in _FIRST_COME:
        fresh: dict[str, str] = {}
        for source, target in by_part[name]:
            if source not in sources and target not in targets:
                fresh.setdefault(source, target)
        kept[name] = sorted(fresh.items(), key=lambda pair: _hash(pair[0]))
        sources |= fresh.keys()
        targets |= set(fresh.values())
    return {name: kept[name] for name in PARTS}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
