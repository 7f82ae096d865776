"""What is the answer to each claim, from the folder of a reproduction?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercuric.errors import MercuricError
from mercuric.files.reading import read_json_object
from mercuric.studies.reproduce.claim import Claim, Statement, chosen_claims
from mercuric.studies.reproduce.found import Found, Number, answer
from mercuric.studies.reproduce.study import SUMMARY, run_folders
from mercuric.studies.reproduce.verdict import Verdict, holds, verdict


@dataclass(frozen=True)
class Judged:
    """A claim, what was found of it, and whether it holds.

    Attributes:
        claim: as it is declared.
        verdict: whether it holds.
        found: the answer; None where there is none.
        failed: why there is none, or which part of it is not there.
        commands: what ran, by the names of the runs.
    """

    claim: Claim
    verdict: Verdict
    found: Found | None
    failed: str
    commands: Mapping[str, str]

    def answers(self) -> list[tuple[Statement, Number | None, bool | None]]:
        """Each statement with our number, and whether it holds."""
        numbers = {} if self.found is None else self.found.numbers
        return [
            (one, numbers.get(name), holds(one, numbers.get(name)))
            for name, one in self.claim.statements.items()
        ]


def judge_all(folder: Path, summary: Mapping[str, Any]) -> list[Judged]:
    """Every claim of a reproduction.

    Raises:
        ValueError: a claim that is no longer known.
    """
    return [_judged(claim, folder, summary["runs"]) for claim in chosen_claims(summary["claims"])]


def read_summary(folder: Path) -> Mapping[str, Any]:
    """How the runs ended.

    Raises:
        MercuricError: it is missing or broken.
    """
    try:
        return read_json_object(folder / SUMMARY)
    except FileNotFoundError:
        raise MercuricError(
            f"{folder / SUMMARY} is missing: {folder} holds no finished reproduction"
        ) from None


def _judged(claim: Claim, folder: Path, runs: Mapping[str, Any]) -> Judged:
    there = [name for name in claim.runs if name in runs]
    broken = {name: runs[name]["said"] for name in there if runs[name]["said"] is not None}
    commands = {name: str(runs[name]["command"]) for name in there}
    whole = [name for name in there if name not in broken]
    failed = "; ".join(f"{name} failed: {said}" for name, said in broken.items())
    if not whole:
        return Judged(claim, "not measured", None, failed or "no quick run answers it", commands)
    try:
        found = answer(claim, run_folders(folder, whole))
    except (KeyError, FileNotFoundError) as error:  # what a run that failed would have left
        if not broken:
            raise
        return Judged(claim, "not measured", None, f"{failed} ({error})", commands)
    return Judged(claim, verdict(claim, found), found, failed, commands)


def tally(judged: Sequence[Judged]) -> dict[Verdict, int]:
    """How many claims have which verdict."""
    order: tuple[Verdict, ...] = ("holds", "partly", "no", "not measured")
    return {one: sum(each.verdict == one for each in judged) for one in order}
