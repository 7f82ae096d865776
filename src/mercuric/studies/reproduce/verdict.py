"""Does a claim hold?"""

from collections.abc import Sequence
from typing import Literal

from mercuric.studies.reproduce.claim import Claim, Statement
from mercuric.studies.reproduce.found import Found, Number

Verdict = Literal["holds", "partly", "no", "not measured"]


def holds(statement: Statement, number: Number | None) -> bool | None:
    """Whether what was found agrees with a statement; None where nothing was, or its spread swallows it."""
    if number is None or number.ours is None:
        return None
    ends = number.spread or (number.ours, number.ours)
    answers = {_agrees(statement, value) for value in (number.ours, *ends)}
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


def verdict(claim: Claim, found: Found) -> Verdict:
    """``holds`` where every statement that was measured does, ``no`` where none does, else ``partly``."""
    return together([holds(one, found.numbers.get(name)) for name, one in claim.statements.items()])


def together(answers: Sequence[bool | None]) -> Verdict:
    """One verdict of several; those that can't be told make it ``partly``, unless nothing can."""
    if all(answer is None for answer in answers):
        return "not measured"
    if all(answers):
        return "holds"
    return "partly" if any(answers) or None in answers else "no"
