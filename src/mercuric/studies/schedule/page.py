"""How does the front of cheap training become a page?"""

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section
from mercuric.page.table import Column, SortableTable, numbers, prose, words
from mercuric.studies.schedule import texts
from mercuric.studies.schedule.chart import accuracy_chart
from mercuric.studies.schedule.forms import DENSE
from mercuric.studies.schedule.methods import methods
from mercuric.studies.schedule.ranking import standing, winners
from mercuric.studies.schedule.written import FIGURES, Written


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``schedule.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    return write(_page(Written(read_json_object(folder / FIGURES)), command), folder)


def _page(written: Written, command: str) -> Page:
    summary = written.summary
    clock = "by the wall's clock" if summary["config"]["clock"] == "wall" else "of the processor"
    return Page(
        title=f"{summary['subject']}: Mercuric schedule",
        kicker="schedule",
        subject=summary["subject"],
        headline=texts.headline(written),
        lead=" ".join(
            [
                f"{formats.number_of(len(written.forms), 'form')} at equal seconds {clock}; dense's whole "
                f"schedule takes {formats.duration(summary['seconds'])}.",
                *texts.verdicts(written),
                texts.unfilled(written),
                texts.untuned(written),
                texts.beside_others(written),
            ]
        ),
        cards=_cards(written),
        sections=[
            _front(written),
            Section("shares", "At each share of dense's seconds", _shares(written)),
            _forms(written),
            _left_out(written),
        ],
        methods=methods(summary),
        machine=machine_facts(summary["machine"], timed=True),
        command=command,
    )


def _cards(written: Written) -> list[Card]:
    cards = []
    for _, row in winners(written.ranking).iterrows():
        gain = texts.points(row)
        beside = written.shown[row["form"]] + (
            "" if gain == formats.MISSING else f", {gain} points over dense"
        )
        cards.append(Card(f"At {texts.share(row['share'])}", formats.percent(row["accuracy"]), beside))
    return cards


def _front(written: Written) -> Section:
    if written.ranking.empty:
        return Section("front", "The front", [])
    note = (
        "Left and high is better; bars are standard deviations over seeds, side by side at each share. "
        f"{written.summary['subject']}. "
        "Seconds are those to fill, by steps timed in turn with dense's."
    )
    chart = accuracy_chart(written.ranking, written.shown, written.summary["seconds"])
    picture = Picture("schedule-accuracy", "Accuracy against seconds of training", note, chart)
    table = texts.wide(written)
    columns = [words(one.name, table.apply(one.text, axis=1)) for one in texts.wide_columns(table)]
    return Section("front", "The front", [picture, SortableTable(columns, "Rank and accuracy of every form")])


def _shares(written: Written) -> list[SortableTable]:
    return [
        SortableTable(_columns(rows, written.shown), f"At {texts.share(float(str(share)))}")
        for share, rows in written.ranking.groupby("share")
    ]


def _columns(rows: pd.DataFrame, shown: dict[str, str]) -> list[Column]:
    every = [row for _, row in rows.iterrows()]
    behind = [standing(row) == "behind" for row in every]
    gains = rows["gain"].where(rows["form"] != DENSE)
    return [
        numbers("rank", rows["rank"], _whole),
        words("form", (shown[form] for form in rows["form"])),
        numbers("accuracy", rows["accuracy"], lambda value: formats.percent(value, 2), "mean over seeds"),
        numbers("spread", rows["spread"], lambda value: formats.percent(value, 2), "standard deviation"),
        numbers("points over dense", gains, _points, "of the same seed and seconds", behind),
        words("against dense", map(texts.against_dense, every), "level: within the spread over seeds"),
        numbers("steps", rows["steps"], _whole),
        numbers("seconds", rows["seconds"], formats.duration, "as they were taken"),
        numbers("filled", rows["filled"], lambda value: formats.percent(value, 0), "of the seconds to fill"),
        words("diverged", map(texts.diverged, every)),
    ]


def _forms(written: Written) -> Section:
    forms = written.forms

    def figures(name: str, field: str, text: Callable[[Any], str], meaning: str = "") -> Column:
        return numbers(name, [form[field] for form in forms], text, meaning)

    columns = [
        words("form", (form["shown"] for form in forms)),
        words("setting", (form["setting"] for form in forms), "the fastest of those that were timed"),
        figures("ms a step", "milliseconds", formats.count, "at its batch, the mean of its schedule"),
        figures("times faster", "times", formats.ratio, "than dense's at the same batch"),
        figures("learning rate", "learning_rate", _three_digits, "tuned"),
        figures("batch", "batch", formats.count, "tuned"),
        figures("best trial", "best_trial", formats.percent, "accuracy on held-out training images"),
        figures("trials diverged", "trials_diverged", formats.count),
        figures("parameters", "parameters", formats.count, "at the end"),
        words("chose", (form["chose"] for form in forms)),
        prose("what it is", (form["source"] for form in forms)),
    ]
    return Section(
        "forms", "The forms", [SortableTable(columns, "What was timed and tuned")] if forms else []
    )


def _left_out(written: Written) -> Section:
    why = written.left_out
    table = SortableTable([words("form", why), prose("why", why.values())], "Left out")
    return Section("left-out", "What was left out", [table] if why else [])


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}" if isfinite(value) else formats.MISSING


def _three_digits(value: float | None) -> str:
    return formats.MISSING if value is None else f"{value:.3g}"
