"""How do the assumptions look as tables, in the terminal, on the page and in Markdown?"""

from collections.abc import Mapping, Sequence
from typing import Any

from mercuric.page import formats
from mercuric.studies.speedups.assumptions.combined import NEAR
from mercuric.studies.speedups.study import PUBLISHED_MEAN
from mercuric.studies.speedups.table import Rows

_SHOWN = 4
"""Combinations that a terminal has room for."""


def near_columns(summary: Mapping[str, Any], most: int = _SHOWN) -> Rows:
    """:func:`near_rows` of a few, a combination a column."""
    heads, rows = near_rows(summary, most)
    *near, _own, _paper = rows
    named = ["", *(f"nearest {place}" for place, _ in enumerate(near, 1)), "our own", "the paper"]
    cells = [[head, *(row[place] for row in rows)] for place, head in enumerate(heads)]
    cells[0][-1] = ""  # the name of the paper's row
    return named, cells


def near_rows(summary: Mapping[str, Any], most: int) -> Rows:
    """The combinations that are near all three means, the nearest first; else the nearest alone.

    Mercuric's own assumptions and the paper's figures stand after them.
    """
    names = [one["name"] for one in summary["assumptions"]]
    heads = [*names, *PUBLISHED_MEAN, "furthest"]
    shown = summary["near"][:most] or [summary["best"]]
    rows = [_combination(one, names) for one in [*shown, summary["own"]]]
    paper = ["the paper", *[""] * (len(names) - 1), *map(formats.ratio, PUBLISHED_MEAN.values()), ""]
    return heads, [*rows, paper]


def _combination(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    means = (formats.ratio(row[dataflow]) for dataflow in PUBLISHED_MEAN)
    return [*(str(row[name]) for name in names), *means, formats.percent(row["distance"], 0)]


def move_rows(summary: Mapping[str, Any]) -> Rows:
    """What moves what: an assumption's value a row, a dataflow a column."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in summary["moves"]:
        figures = [formats.ratio(one[name]) for name in ("median", "least", "most")]
        rows.setdefault((one["assumption"], one["value"]), {})[one["dataflow"]] = (
            f"{figures[0]} ({figures[1]} to {figures[2]})"
        )
    own = {one["name"]: next(iter(one["values"])) for one in summary["assumptions"]}
    cells = [
        [name, f"{value} for {own[name]}", *(row.get(dataflow, "") for dataflow in PUBLISHED_MEAN)]
        for (name, value), row in rows.items()
    ]
    return ["assumption", "changed", *PUBLISHED_MEAN], cells


def network_rows(summary: Mapping[str, Any]) -> Rows:
    """Every network under the nearest combination and under Mercuric's own assumptions."""
    published = {(one["model"], one["dataflow"]): one["published"] for one in summary["singles"]}
    heads = ["network"]
    for dataflow in PUBLISHED_MEAN:
        heads += [f"{dataflow}, nearest", "own", "published"]
    rows = []
    for best, own in zip(summary["networks"]["best"], summary["networks"]["own"], strict=True):
        cells = [str(best["model"])]
        for dataflow in PUBLISHED_MEAN:
            said = published.get((best["model"], dataflow))
            cells += [formats.ratio(best[dataflow]), formats.ratio(own[dataflow])]
            cells += [formats.ratio(said) if said else ""]
        rows.append(cells)
    return heads, rows


def assumption_rows(summary: Mapping[str, Any]) -> Rows:
    """The declared list: what is open, how it is read, which words of the paper leave it so."""
    near = summary["near"]
    rows = [
        [
            one["name"],
            ", ".join(
                f"{value} ({sum(row[one['name']] == value for row in near)})" for value in one["values"]
            ),
            "all" if len(one["dataflows"]) == len(PUBLISHED_MEAN) else ", ".join(one["dataflows"]),
            f"{one['section']}: {one['sentence']}",
        ]
        for one in summary["assumptions"]
    ]  # fmt: skip
    return ["assumption", "values, ours first (near ones)", "dataflows", "left open by"], rows


def left_out_rows(summary: Mapping[str, Any]) -> Rows:
    """Why combinations mean nothing, and how many."""
    return ["left out", "because"], [[f"{one['combinations']:,}", one["why"]] for one in summary["left_out"]]


def answer(summary: Mapping[str, Any]) -> str:
    """Under which assumptions all three means follow, in a sentence."""
    near, counted, best = len(summary["near"]), summary["counted"], summary["best"]
    means = ", ".join(formats.ratio(best[dataflow]) for dataflow in PUBLISHED_MEAN)
    said = ", ".join(formats.ratio(mean) for mean in PUBLISHED_MEAN.values())
    how = f"{means} where the paper has {said}"
    if not near:
        return (
            f"None of {counted:,} combinations comes within 15 % of all three means; the nearest has {how}, "
            f"{formats.percent(best['distance'], 0)} off."
        )
    verb = "comes" if near == 1 else "come"
    return (
        f"{near:,} of {counted:,} combinations {verb} within 15 % of all three means; the nearest has {how}."
    )


def caution(summary: Mapping[str, Any]) -> str:
    """What that doesn't show."""
    singles = [
        f"{one['model']} {one['dataflow']} stationary {formats.ratio(one['best'])} where the paper has "
        f"{formats.ratio(one['published'])}"
        for one in summary["singles"]
    ]
    found = "This is a search after the fact: of so many combinations some come near three numbers by chance."
    shared = [
        f"{name} {values.pop()}"
        for name in (one["name"] for one in summary["assumptions"])
        if len(values := {row[name] for row in summary["near"]}) == 1
    ]
    if shared and len(summary["near"]) > 1:
        found += f" All that are near have {formats.listing(shared)}."
    if not singles:
        return found
    alike = sum(abs(one["best"] / one["published"] - 1) <= NEAR for one in summary["singles"])
    return (
        f"{found} Of the networks that the paper gives by number, {alike} of {len(singles)} are within 15 % "
        f"in the nearest: {formats.listing(singles)}."
    )
