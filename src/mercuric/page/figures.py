"""How do a page's charts and tables become files for a paper?"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl

from mercuric.files.writing import replacing, write_text
from mercuric.page.chart import Picture
from mercuric.page.paper.drawing import draw_chart
from mercuric.page.paper.style import RC
from mercuric.page.parts import Folded, Part, Section
from mercuric.page.table import SortableTable
from mercuric.page.table_text import csv_text, latex_text

FigureFormat = Literal["svg", "pdf", "png"]
TableFormat = Literal["csv", "tex"]

_TEXTS = {"csv": csv_text, "tex": latex_text}
_LONGEST = 80
"""Characters of a file's name."""


def write_figures(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write every chart as SVG, PDF and PNG and every table as CSV and LaTeX.

    A chart's files have its identity for a name, a table's have those of its section and its title.

    Args:
        sections: of pages.
        folder: is made where it is not there.

    Returns:
        the files.

    Raises:
        ArgumentError: a chart has something that is not drawn for papers; names it.
        OSError: the folder can't be written.
    """
    written: list[Path] = []
    used: set[tuple[str, bool]] = set()
    for name, part in _named(sections):
        stem, number = name, 1
        while (stem, is_chart := isinstance(part, Picture)) in used:
            number += 1
            stem = f"{name}-{number}"
        used.add((stem, is_chart))
        if isinstance(part, Picture):
            written += write_figure(part, folder / stem, ("svg", "pdf", "png"))
        else:
            written += write_table(part, folder / stem, ("csv", "tex"))
    return written


def write_figure(picture: Picture, path: Path, formats: Sequence[FigureFormat] = ("svg",)) -> list[Path]:
    """Write a chart: on white, as wide as a column (3.4 inches) or, where it needs it, both (7 inches).

    Text stays text in SVG, PDF has its fonts (Type 42), PNG has 300 dots an inch; title and note are in the
    file's description. The same chart gives the same bytes.

    Args:
        picture: a page's chart.
        path: without the ending.
        formats: each gives a file.

    Returns:
        the files.

    Raises:
        ArgumentError: the chart has something that is not drawn for papers; names it.
        OSError: a file can't be written.
    """
    figure, written = draw_chart(picture.chart), []
    for kind in formats:
        target = path.with_name(f"{path.name}.{kind}")
        with replacing(target) as temporary, mpl.rc_context(RC):
            figure.savefig(temporary, format=kind, metadata=_description(picture, kind))
        written.append(target)
    return written


def write_table(
    table: SortableTable, path: Path, formats: Sequence[TableFormat] = ("csv", "tex")
) -> list[Path]:
    """Write a table: as CSV, texts and the numbers that they stand for, and as LaTeX for booktabs.

    Args:
        table: of a page.
        path: without the ending.
        formats: each gives a file.

    Returns:
        the files.

    Raises:
        OSError: a file can't be written.
    """
    targets = [path.with_name(f"{path.name}.{kind}") for kind in formats]
    for kind, target in zip(formats, targets, strict=True):
        write_text(target, _TEXTS[kind](table))
    return targets


def _description(picture: Picture, kind: FigureFormat) -> dict[str, Any]:
    """What the file says of itself: no date and no version, so that its bytes stay the same."""
    if kind == "svg":
        return {"Title": picture.title, "Description": picture.note, "Date": None, "Creator": None}
    if kind == "pdf":
        nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
        return {"Title": picture.title, "Subject": picture.note, **nothing}
    return {"Title": picture.title, "Description": picture.note, "Software": None}


def _named(sections: Sequence[Section]) -> Iterator[tuple[str, Picture | SortableTable]]:
    for section in sections:
        for part in section.parts:
            for title, one in _drawn(part, ""):
                name = one.identity if isinstance(one, Picture) else f"{section.identity}-{title}"
                yield (
                    re.sub(r"[^a-z0-9._]+", "-", name.lower().replace("'", "")).strip("-.")[:_LONGEST]
                    or "figure",
                    one,
                )


def _drawn(part: Part, title: str) -> Iterator[tuple[str, Picture | SortableTable]]:
    """Charts and tables in a part, however deep, each with its title or that of what folds it."""
    if isinstance(part, Picture | SortableTable):
        yield part.title or title, part
        return
    for inner in part.parts:
        yield from _drawn(inner, part.summary if isinstance(part, Folded) else title)
