"""How are claims, numbers and verdicts written?"""

from collections.abc import Sequence

from mercuric.page import formats
from mercuric.studies.reproduce.claim import SOURCES, Claim, Statement
from mercuric.studies.reproduce.found import Number
from mercuric.studies.reproduce.judged import Judged, tally
from mercuric.studies.reproduce.verdict import measured

WORDS = {True: "holds", False: "does not hold", None: "not measured"}
"""Of a statement's answer."""


def headline(judged: Sequence[Judged]) -> str:
    """How many claims hold, in one sentence."""
    counts = tally(judged)
    claims = formats.number_of(len(judged), "claim")
    said = (
        f"{claims}: {counts['holds']} found to hold, {counts['partly']} in part, {counts['no']} not to hold"
    )
    rest = f"; {counts['not measured']} not measured" if counts["not measured"] else ""
    return f"{said}{rest}."


def value(number: float | None, statement: Statement) -> str:
    """A number in its statement's unit."""
    if number is None:
        return formats.MISSING
    if statement.test == "true":
        return "yes" if number else "no"
    if statement.unit == "times":
        return formats.ratio(number)
    if statement.unit == "share":
        return formats.percent(number)
    return f"{number:z.2f} points" if statement.unit == "points" else f"{number:.4g}"


def ours(number: Number | None, statement: Statement) -> str:
    """Our number, with its spread."""
    if number is None:
        return formats.MISSING
    said, ends = value(number.ours, statement), spread(number, statement)
    return f"{said} ({ends})" if ends else said


def spread(number: Number | None, statement: Statement) -> str:
    """The least and the largest over seeds, or over what no text tells; nothing where there is one number."""
    if number is None or number.spread is None:
        return ""
    low, high = (value(end, statement) for end in number.spread)
    return formats.between(low, high)


def fair(number: Number | None, statement: Statement) -> str:
    """Our number in the fair timing, where that means something."""
    return "" if number is None or number.fair is None else value(number.fair, statement)


def paper(statement: Statement) -> str:
    """The source's number, and how ours must stand to it."""
    if statement.test == "true":
        return "yes"
    said = value(statement.paper, statement)
    return {"at_least": f"at least {said}", "at_most": f"at most {said}"}.get(statement.test, said)


def answer(holds: bool | None, number: Number | None) -> str:
    """Whether a statement holds, in words."""
    if holds is None and measured(number):
        return "within its spread"
    return WORDS[holds]


def leading(judged: Judged) -> tuple[str, str, str]:
    """What :func:`leading_answer` is in words: the source's number, ours, ours in the fair timing."""
    statement, number, _ = leading_answer(judged)
    return paper(statement), ours(number, statement), fair(number, statement)


def leading_answer(judged: Judged) -> tuple[Statement, Number | None, bool | None]:
    """The first of the source's numbers that was measured, or else its first truth."""
    answers = judged.answers()
    found = [one for one in answers if measured(one[1])] or answers
    return next((one for one in found if one[0].test != "true"), found[0])


def why(judged: Judged) -> str:
    """The cause, or why there is no answer."""
    said = "" if judged.found is None else judged.found.why
    return " ".join(filter(None, [said, judged.failed and f"{judged.failed}."]))


def place(claim: Claim) -> str:
    """Where the source claims it."""
    return ", ".join(filter(None, [SOURCES[claim.source], claim.section and f"section {claim.section}"]))
