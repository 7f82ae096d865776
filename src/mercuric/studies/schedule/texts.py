"""How is a ranking said, in sentences and in a table's cells?"""

from math import isfinite, sqrt
from typing import Any

import pandas as pd

from mercuric.page import formats
from mercuric.studies.bench.table import Column, Columns
from mercuric.studies.schedule.forms import DENSE
from mercuric.studies.schedule.ranking import standing, winners
from mercuric.studies.schedule.tuning import held_out
from mercuric.studies.schedule.written import Written

OFF = 0.15
"""Share of its seconds that a form may take more or less before that is said."""


def share(value: float) -> str:
    """``25 %``."""
    return f"{100 * value:g} %"


def points(row: "pd.Series[Any]") -> str:
    """A gain over dense with its spread, in points: ``+0.42 (0.10)``; of dense itself nothing."""
    if row["form"] == DENSE or not isfinite(row["gain"]):
        return formats.MISSING
    spread = f" ({100 * row['gain_spread']:.2f})" if isfinite(row["gain_spread"]) else ""
    return f"{100 * row['gain']:+.2f}{spread}"


def accuracy(row: "pd.Series[Any]") -> str:
    """``87.12 % (0.20)``."""
    spread = f" ({100 * row['spread']:.2f})" if isfinite(row["spread"]) else ""
    return f"{formats.percent(row['accuracy'], 2)}{spread}"


def diverged(row: "pd.Series[Any]") -> str:
    """How many seeds diverged; nothing where none did."""
    return f"{row['diverged']:.0f} of {row['seeds']:.0f} diverged" if row["diverged"] else ""


def against_dense(row: "pd.Series[Any]") -> str:
    """Where it stands against dense of the same seconds; nothing of dense itself."""
    if row["form"] == DENSE or not isfinite(row["gain"]):
        return ""
    return standing(row) if row["seeds"] > 1 else f"{standing(row)} (one seed)"


def unfilled(written: Written) -> str:
    """Which forms took other seconds than they were to fill, so that the comparison is off; empty: none."""
    means = written.ranking.groupby("form", sort=False)["filled"].mean()
    off = [
        f"{written.shown[str(form)]} ({formats.percent(filled, 0)})"
        for form, filled in means.items()
        if not 1 - OFF <= filled <= 1 + OFF
    ]
    if not off:
        return ""
    return (
        f"Of the seconds to be filled were taken by {formats.listing(off)}: time them on a quieter machine."
    )


def untuned(written: Written) -> str:
    """Whose trials told nothing, the best being within two standard errors of guessing; empty: nobody's."""
    summary = written.summary
    images, guess = held_out(summary["examples"]), 1 / summary["classes"]
    most = guess + 2 * sqrt(guess * (1 - guess) / images)
    blind = [
        one["shown"] for one in written.forms if one["trials"] > 1 and (one["best_trial"] or 0.0) <= most
    ]
    if not blind:
        return ""
    return (
        f"No trial of {formats.listing(blind)} did better than guessing ({formats.percent(most)} or less of "
        f"{formats.number_of(images, 'image')}): with what they were trained is chance. Let trials fill "
        "more of the seconds (--tuned-at)."
    )


def beside_others(written: Written) -> str:
    """How many trainings ran at a time; empty: one."""
    most = max((row.get("at_once", 1) for row in written.summary["rows"]), default=1)
    if most == 1:
        return ""
    return (
        f"Up to {most} trainings ran at a time: they filled steps that were timed alone, so that steps and "
        "accuracies hold, but seconds that a form measured while it trained were taken beside others."
    )


def headline(written: Written) -> str:
    """Which form is first where."""
    ranking, shown = written.ranking, written.shown
    if ranking.empty:
        return "Nothing was trained."
    first = winners(ranking)
    forms = first.groupby("form", sort=False)["share"].apply(list)
    if len(forms) == 1:
        return f"Most accurate at every share of dense's seconds: {shown[str(forms.index[0])]}."
    said = [
        f"{shown[str(form)]} at {formats.listing([share(one) for one in shares])}"
        for form, shares in forms.items()
    ]
    return f"Most accurate: {'; '.join(said)} of dense's seconds."


def verdicts(written: Written) -> list[str]:
    """A sentence a share: the first form, and where it stands against dense."""
    return [_verdict(row, written) for _, row in winners(written.ranking).iterrows()]


def _verdict(row: "pd.Series[Any]", written: Written) -> str:
    ranking, shown = written.ranking, written.shown
    said = f"At {share(row['share'])}: {shown[row['form']]}, {formats.percent(row['accuracy'], 2)}"
    dense = ranking[(ranking["share"] == row["share"]) & (ranking["form"] == DENSE)]
    if row["form"] == DENSE or dense.empty:
        return f"{said}."
    seeds = f"{row['seeds']:.0f} seeds" if row["seeds"] > 1 else "one seed"
    reached = formats.percent(float(dense["accuracy"].iloc[0]), 2)
    if standing(row) == "level":
        return f"{said}; level with dense, {reached} ({points(row)} points, {seeds})."
    return f"{said}; dense {reached}: {points(row)} points over {seeds}."


def wide(written: Written) -> pd.DataFrame:
    """A row a form, best first: how it was trained, and its rank and accuracy at each share, as texts."""
    ranking, forms = written.ranking, written.forms
    shares = sorted(ranking["share"].unique())
    rows = []
    for form in forms:
        mine = {row["share"]: row for _, row in ranking[ranking["form"] == form["form"]].iterrows()}
        if mine:
            cells = {share(one): _ranked(mine[one]) if one in mine else formats.MISSING for one in shares}
            order = sum(mine[one]["rank"] if one in mine else len(forms) + 1 for one in shares)
            rows.append({**form, **cells, "order": order})
    table = pd.DataFrame(rows, columns=[*_OF_FORMS, *map(share, shares), "order"])
    return table.sort_values("order", kind="stable", ignore_index=True)


_OF_FORMS = ("form", "shown", "times", "learning_rate", "batch")


def _ranked(row: "pd.Series[Any]") -> str:
    beside = f", {diverged(row)}" if row["diverged"] else ""
    return f"{row['rank']:.0f}. {accuracy(row)}{beside}"


def wide_columns(table: pd.DataFrame) -> Columns:
    """Of :func:`wide`'s rows."""
    return [
        Column("form", lambda row: str(row["shown"]), left=True),
        Column("times faster", lambda row: formats.ratio(row["times"])),
        Column("learning rate", lambda row: f"{row['learning_rate']:.3g}"),
        Column("batch", lambda row: f"{row['batch']:.0f}"),
        *(_cell(str(name)) for name in table if str(name).endswith(" %")),
    ]


def _cell(name: str) -> Column:
    return Column(name, lambda row: str(row[name]), left=True, whole=True)
