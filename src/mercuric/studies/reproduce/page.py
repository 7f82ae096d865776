"""How does a reproduction look? The answers on top, then each claim with its picture, numbers and runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mercuric.page import formats
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Folded, Page, Paragraph, Part, Section
from mercuric.page.table import Cell, Column, SortableTable, prose, words
from mercuric.studies.reproduce import texts
from mercuric.studies.reproduce.judged import Judged, judge_all, read_summary
from mercuric.studies.reproduce.markdown import write_markdown


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html``, ``reproduction.md`` and ``claims.csv`` from the folders of the runs.

    Returns:
        the page's path.

    Raises:
        MercuricError: a run's file is missing or broken, or it can't be written.
    """
    summary = read_summary(folder)
    return write_answers(folder, judge_all(folder, summary), summary, command)


def write_answers(folder: Path, judged: Sequence[Judged], summary: Mapping[str, Any], command: str) -> Path:
    """What :func:`write_page` writes, of claims that are judged already."""
    write_markdown(folder, judged, summary, command)
    return write(_page(judged, summary, command), folder)


def _page(judged: Sequence[Judged], summary: Mapping[str, Any], command: str) -> Page:
    config = summary["config"]
    form = "quick runs: fewer networks and smaller images" if config["quick"] else "full runs"
    return Page(
        title="Mercuric: the claims, reproduced",
        kicker="reproduction",
        subject=f"{formats.number_of(len(judged), 'claim')}, {form}",
        headline=texts.headline(judged),
        lead="A claim holds where every statement of it that is tested does: a number within 15 % of the "
        "source's, or what else its table says. Cycles are in the paper's timing first, then in the fair "
        "one, in which the baseline's dot products overlap too.",
        cards=[_card(one) for one in judged if one.claim.headline and one.found is not None],
        sections=[Section("answers", "Claim by claim", [_answers(judged)]), *map(_section, judged)],
        methods=_methods(summary),
        machine=machine_facts(summary["machine"], timed=True),
        command=command,
    )  # fmt: skip


def _card(one: Judged) -> Card:
    statement, number, _ = texts.leading_answer(one)
    beside = [f"{one.claim.part}: {texts.paper(statement)}", texts.spread(number, statement)]
    value = texts.value(None if number is None else number.ours, statement)
    return Card(one.claim.title, value, "; ".join(filter(None, beside)), one.verdict == "no")


def _answers(judged: Sequence[Judged]) -> SortableTable:
    leading = [texts.leading(one) for one in judged]
    return SortableTable(
        [
            prose("claim", [f"{one.claim.part}: {one.claim.title}" for one in judged]),
            Column("verdict", "text", [Cell(one.verdict, loses=one.verdict == "no") for one in judged]),
            words("the source", [paper for paper, _, _ in leading]),
            words("ours", [ours for _, ours, _ in leading]),
            words("fair timing", [fair for _, _, fair in leading]),
            prose("why", [texts.why(one) for one in judged]),
            words("claimed by", [one.claim.source for one in judged]),
        ]
    )


def _section(one: Judged) -> Section:
    claim = one.claim
    parts: list[Part] = [
        Paragraph(
            f"\N{LEFT DOUBLE QUOTATION MARK}{claim.sentence}\N{RIGHT DOUBLE QUOTATION MARK} "
            f"({texts.place(claim)})"
        ),
        Paragraph(f"{one.verdict.capitalize()}. {texts.why(one)}"),
        _statements(one),
    ]
    if one.found is not None:
        parts += one.found.pictures
        parts += [Folded("The numbers", table) for table in one.found.tables]
    parts.append(Folded("What ran", _ran(one)))
    return Section(claim.name, f"{claim.part}: {claim.title}", parts)


def _statements(one: Judged) -> SortableTable:
    answers = one.answers()
    return SortableTable(
        [
            prose("statement", [statement.says for statement, _, _ in answers]),
            Column(
                "verdict", "text",
                [Cell(texts.answer(holds, number), loses=holds is False) for _, number, holds in answers],
            ),
            words("the source", [texts.paper(statement) for statement, _, _ in answers]),
            words("ours", [texts.ours(number, statement) for statement, number, _ in answers]),
            words("fair timing", [texts.fair(number, statement) for statement, number, _ in answers]),
            prose("beside", ["" if number is None else number.beside for _, number, _ in answers]),
        ]
    )  # fmt: skip


def _ran(one: Judged) -> SortableTable:
    facts = [("Command", command) for command in one.commands.values()]
    facts += [] if one.found is None else one.found.setting
    facts += [("Assumed", one.claim.assumptions.strip())] if one.claim.assumptions else []
    return SortableTable([words("what", [name for name, _ in facts]), prose("", [text for _, text in facts])])


def _methods(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    runs = summary["runs"].values()
    seconds = sum(run["seconds"] for run in runs)
    return [
        ("Runs", f"{len(runs)} commands, {formats.duration(seconds)} together, one beside the other "
            "where --jobs says so."),
        ("Near", "Within 15 % of the source's number. Where several seeds ran, the least and the "
            "largest must agree on the answer."),
        ("Paper's timing", "Signature bits overlap and other dot products do not, as the paper's text "
            "has it."),
        ("Fair timing", "All dot products overlap, the baseline's too."),
    ]  # fmt: skip
