"""Fig. 14b: where do the cycles go, in the baseline and in MERCURY?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from mercuric.page import chart, formats
from mercuric.page.chart import Picture, figure, plotly_text, rounded
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.speedups import seeds_of
from mercuric.studies.reproduce.studied import setting_of_sweep, sweep_of
from mercuric.studies.speedups.study import FIELDS
from mercuric.studies.sweep.study import combination_totals

PARTS = {"product": ("products", chart.MERCURY), "signature": ("signatures", chart.SIGNATURE)}


def found(folders: Mapping[str, Path]) -> Found:
    """Row stationary, synchronous: products and signatures as shares of the baseline."""
    rows, *others = [_row_stationary(path) for path in (folders["speedups"], *seeds_of(folders))]
    shares = {
        timing: pd.DataFrame({part: rows[f"{timing}_{part}"] / rows[f"{timing}_baseline"] for part in PARTS})
        for timing in ("paper", "fair")
    }
    saved = {timing: _saved(rows, timing) for timing in shares}
    means = [float(_saved(one, "paper").mean()) for one in (rows, *others)]
    signature = shares["paper"]["signature"] / shares["paper"].sum(axis=1)
    numbers_ = {
        "saved": Number(means[0], float(saved["fair"].mean()), spread_of(means)),
        "fraction": Number(
            float((signature < 0.5).all()), beside=f"at most {formats.percent(signature.max())}"
        ),
    }
    names = [str(name) for name in rows.index]
    columns = [
        words("network", names),
        *(numbers(label, shares["paper"][part], formats.percent) for part, (label, _) in PARTS.items()),
        numbers("saved, losing layers off", saved["paper"], formats.percent),
        numbers("the same, fair timing", saved["fair"], formats.percent),
    ]
    return Found(
        numbers_,
        f"Signatures take {formats.percent(signature.mean())} of MERCURY's cycles on average; products "
        "of vectors that miss, and "
        "waiting for the slowest PE set, take the rest.",
        setting_of_sweep(folders["speedups"]),
        [
            Picture(
                "figure-14b", "MERCURY's cycles", "As shares of the baseline's, all layers on, paper's "
                    "timing.",
                _chart(names, shares["paper"]),
            )
        ],
        [SortableTable(columns)],
    )  # fmt: skip


def _row_stationary(folder: Path) -> pd.DataFrame:
    totals = combination_totals(sweep_of(folder), list(FIELDS))
    chosen = (totals["dataflow"] == "row") & (totals["design"] == "synchronous")
    return totals[chosen].set_index("model")


def _saved(rows: pd.DataFrame, timing: str) -> "pd.Series[float]":
    return 1 - 1 / rows[f"{timing}_adapted"]


def _chart(names: list[str], shares: pd.DataFrame) -> go.Figure:
    picture = figure(340, "", "share of the baseline's cycles")
    for part, (label, colour) in PARTS.items():
        picture.add_bar(
            x=[plotly_text(name) for name in names], y=rounded(shares[part]), name=label,
            marker={"color": colour}, hovertemplate="%{y:.1%}",
        )  # fmt: skip
    picture.add_hline(y=1, line={"color": chart.GUIDE, "dash": "dot"})
    picture.update_layout(barmode="stack", bargap=0.3)
    picture.update_yaxes(tickformat=".0%")
    return picture
