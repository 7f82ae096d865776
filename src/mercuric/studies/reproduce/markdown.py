"""How does a reproduction go into a repository? As Markdown, and a CSV file of all statements."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.studies.reproduce import texts
from mercuric.studies.reproduce.judged import Judged, tally

CLAIMS, TEXT = "claims.csv", "reproduction.md"


def write_markdown(folder: Path, judged: Sequence[Judged], summary: Mapping[str, Any], command: str) -> None:
    """Write :data:`TEXT` and :data:`CLAIMS` into the folder.

    Raises:
        OSError: it can't be written.
    """
    write_text(folder / CLAIMS, statements(judged).to_csv(index=False))
    parts = ["# The claims, reproduced", f"    {command}", _counted(judged, summary), summary_table(judged)]
    write_text(folder / TEXT, "\n\n".join([*parts, *map(_claim, judged)]) + "\n")


def statements(judged: Sequence[Judged]) -> pd.DataFrame:
    """A statement a row, with its claim.

    Columns: ``claim``, ``part``, ``source``, ``statement``, ``test``; what it ``says``, ``ours``, ``fair``,
    from ``low`` to ``high``; whether it ``holds``, and the claim's ``verdict``; what is ``beside`` that.
    """
    rows = []
    for one in judged:
        for statement, number, holds in one.answers():
            low, high = (None, None) if number is None or number.spread is None else number.spread
            rows.append(
                {
                    "claim": one.claim.name, "part": one.claim.part, "source": one.claim.source,
                    "statement": statement.says, "test": statement.test, "says": statement.paper,
                    "ours": None if number is None else number.ours,
                    "fair": None if number is None else number.fair,
                    "low": low, "high": high, "holds": holds, "verdict": one.verdict,
                    "beside": "" if number is None else number.beside,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def summary_table(judged: Sequence[Judged]) -> str:
    """A claim a row, as Markdown."""
    rows = [
        [f"{one.claim.part}: {one.claim.title}", *texts.leading(one), f"**{one.verdict}**", texts.why(one)]
        for one in judged
    ]
    return _table(["claim", "source", "ours", "fair timing", "verdict", "why"], rows)


def _claim(one: Judged) -> str:
    claim = one.claim
    rows = [
        [
            statement.says, texts.paper(statement),
            texts.ours(number, statement), texts.fair(number, statement),
            texts.answer(holds, number), "" if number is None else number.beside,
        ]
        for statement, number, holds in one.answers()
    ]  # fmt: skip
    facts = [] if one.found is None else [f"- {name}: {text}" for name, text in one.found.setting]
    facts += [f"- Assumed: {claim.assumptions.strip()}"] if claim.assumptions else []
    return "\n\n".join(
        [
            f"## {claim.part}: {claim.title}",
            f"> {claim.sentence}\n>\n> {texts.place(claim)}",
            f"**{one.verdict.capitalize()}.** {texts.why(one)}",
            _table(["statement", "source", "ours", "fair timing", "verdict", "beside"], rows),
            "\n".join(f"    {command}" for command in one.commands.values()),
            "\n".join(facts),
        ]
    ).strip()


def _counted(judged: Sequence[Judged], summary: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in tally(judged).items())
    seconds = sum(run["seconds"] for run in summary["runs"].values())
    return f"{counts}; {formats.duration(seconds)} of runs."


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )
