"""How does a reproduction go into a repository? As Markdown with pictures, and a CSV file of statements."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.markdown import markdown_table
from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce import texts
from mercuric.studies.reproduce.judged import Judged

CLAIMS, TEXT, FIGURES = "claims.csv", "reproduction.md", "figures"
_HEADS = "statement", "source", "ours", "fair timing", "verdict", "beside"


def write_markdown(folder: Path, judged: Sequence[Judged], summary: Mapping[str, Any], command: str) -> None:
    """Write :data:`TEXT`, :data:`CLAIMS` and, where there is matplotlib, :data:`FIGURES` into the folder.

    Raises:
        ArgumentError: a picture has something that is not drawn in files.
        OSError: it can't be written.
    """
    write_text(folder / CLAIMS, statements(judged).to_csv(index=False))
    drawn = find_spec("matplotlib") is not None
    if drawn:
        _draw(judged, folder / FIGURES)
    parts = ["# The claims, reproduced", f"    {command}", _counted(judged, summary), _summary(judged)]
    write_text(folder / TEXT, "\n\n".join([*parts, *(_claim(one, drawn) for one in judged)]) + "\n")


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


def _summary(judged: Sequence[Judged]) -> str:
    """A claim a row, as Markdown."""
    rows = [
        [f"{one.claim.part}: {one.claim.title}", *texts.leading(one), f"**{one.verdict}**"] for one in judged
    ]
    heads = ["claim", "source", "ours", "fair timing", "verdict"]
    return markdown_table(heads, rows, [True, False, False, False, True]).rstrip()


def _draw(judged: Sequence[Judged], folder: Path) -> None:
    from mercuric.page.figures import write_figure

    for one in judged:
        for picture in () if one.found is None else one.found.pictures:
            write_figure(picture, folder / picture.identity)


def _claim(one: Judged, drawn: bool) -> str:
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
            markdown_table(_HEADS, rows, [True, False, False, False, True, True]).rstrip(),
            *([_shown(picture) for picture in one.found.pictures] if drawn and one.found else []),
            "\n".join(f"    {command}" for command in one.commands.values()),
            "\n".join(facts),
        ]
    ).strip()


def _counted(judged: Sequence[Judged], summary: Mapping[str, Any]) -> str:
    seconds = sum(run["seconds"] for run in summary["runs"].values())
    return f"{texts.headline(judged)} The runs took {formats.duration(seconds)} together."


def _shown(picture: Picture) -> str:
    """A picture that is read to who can't see it, with its note below."""
    said = f"{picture.title}. {picture.note}".strip()
    return f"![{said}]({FIGURES}/{picture.identity}.svg)\n\n{said}"
