"""Which pictures are for testing, so that those that look alike stay together?"""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

_TEST_SHARE = 5
"""One picture in so many is for testing."""


def for_testing(families: Iterable[str]) -> frozenset[str]:
    """The families whose pictures are for testing: whole ones, a fifth of the pictures at most.

    They are taken in an order that a hash of their names gives, so that one picture more or less changes
    little.

    Args:
        families: the family of each picture.

    Returns:
        Some of the families; none where each has more than a fifth of the pictures.
    """
    sizes = Counter(families)
    room = sum(sizes.values()) // _TEST_SHARE
    chosen = set()
    for family in sorted(sizes, key=_place):
        if sizes[family] <= room:
            chosen.add(family)
            room -= sizes[family]
    return frozenset(chosen)


def _place(family: str) -> tuple[bytes, str]:
    return blake2b(family.encode("utf-8", "surrogateescape")).digest(), family
