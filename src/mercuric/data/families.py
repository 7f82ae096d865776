"""Which pictures are for testing, so that those that look alike stay together?"""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

_TEST_SHARE = 5
"""One picture in so many is for testing."""


def for_testing(families: Iterable[str]) -> frozenset[str]:
    """The families whose pictures are for testing: whole ones, a fifth of the pictures at most.

    A family of more than a fifth of the pictures is for training; of all others together about a fifth is
    for testing, so that training sees some of them. They are taken in an order that a hash of their names
    gives, so that one picture more or less changes little.

    Args:
        families: the family of each picture.

    Returns:
        Some of the families; none where none fits.
    """
    sizes = Counter(families)
    most = sum(sizes.values()) // _TEST_SHARE
    small = {family: size for family, size in sizes.items() if size <= most}
    room = min(most, -(-sum(small.values()) // _TEST_SHARE))
    chosen = set()
    for family in sorted(small, key=_place):
        if small[family] <= room:
            chosen.add(family)
            room -= small[family]
    return frozenset(chosen)


def _place(family: str) -> tuple[bytes, str]:
    return blake2b(family.encode("utf-8", "surrogateescape")).digest(), family
