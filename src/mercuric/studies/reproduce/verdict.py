"""Does a claim hold?"""

from collections.abc import Sequence
from math import isnan
from typing import Literal

from mercuric.studies.reproduce.claim import Claim, Statement
from mercuric.studies.reproduce.found import Found, Number

Verdict = Literal["holds", "partly", "no", "not measured"]


def holds(statement: Statement, number: Number | None) -> bool | None:
    """Whether what was found agrees with a statement; None where nothing was, or its spread swallows it."""
    if number is None or number.ours is None or isnan(number.ours):
        return None
    low, high = number.spread or (number.ours, number.ours)
    nearest = low if statement.paper is None else min(max(statement.paper, low), high)
    answers = {_agrees(statement, value) for value in (number.ours, low, high, nearest)}
    return answers.pop() if len(answers) == 1 else None


def _agrees(statement: Statement, ours: float) -> bool:
    if statement.test == "true":
        return bool(ours)
    paper = statement.paper
    if paper is None:
        return False
    if statement.test == "near":
        return abs(ours - paper) <= statement.tolerance * abs(paper)
    return ours >= paper if statement.test == "at_least" else ours <= paper


def measured(number: Number | None) -> bool:
    """Whether there is an answer to a statement."""
    return number is not None and number.ours is not None and not isnan(number.ours)


def verdict(claim: Claim, found: Found) -> Verdict:
    """``holds`` where every statement that was measured does, ``no`` where none does, else ``partly``."""
    numbers = {name: found.numbers.get(name) for name in claim.statements}
    return together(
        [holds(one, numbers[name]) for name, one in claim.statements.items() if measured(numbers[name])]
    )


def together(answers: Sequence[bool | None]) -> Verdict:
    """One verdict of several; one that its spread swallows is neither for nor against."""
    if not answers:
        return "not measured"
    if all(answers):
        return "holds"
    return "partly" if any(answers) or None in answers else "no"
