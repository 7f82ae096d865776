"""How much of all that could be tried does a plain run try? With MERCURIC_TEST_ALL=1 all of it."""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import TypeVar

from hypothesis.strategies import DrawFn, integers, sampled_from

Case = TypeVar("Case")

ALL = os.environ.get("MERCURIC_TEST_ALL") == "1"
FEWEST, MOST = 10, 100
"""Draws of a property in a plain run, which tries a third of what the test asks for."""


def draws(asked: int) -> int:
    """How many examples of a property are drawn."""
    return asked if ALL else min(asked, max(FEWEST, min(asked // 3, MOST)))


def some(cases: Iterable[Case], plain: Iterable[Case]) -> list[Case]:
    """``cases``, of which a plain run tries those in ``plain`` alone."""
    every, chosen = list(cases), list(plain)
    assert all(case in every for case in chosen), "a plain run tries what isn't there"
    return every if ALL else [case for case in every if case in chosen]


def choosing(draw: DrawFn, ways: int) -> Callable[[Sequence[Case]], Case]:
    """Chooses one of several: whatever Hypothesis draws, in a plain run always in one of so many ways.

    Over all ways each of several is chosen as often. For what takes long to make and can be used again, as
    a circuit.
    """
    if ALL:
        return lambda cases: draw(sampled_from(cases))
    way, asked = draw(integers(0, ways - 1)), count()

    def choose(cases: Sequence[Case]) -> Case:
        order = [cases[place * len(cases) // ways] for place in range(ways)]
        Random(next(asked)).shuffle(order)
        return order[way]

    return choose
