"""Which combinations of the assumptions come near all of the paper's means?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mercuric.studies.speedups.assumptions.arrays import Array, Refused
from mercuric.studies.speedups.assumptions.assumption import Assumptions, Chosen, combinations
from mercuric.studies.speedups.assumptions.sums import Sum
from mercuric.studies.speedups.study import PUBLISHED_MEAN

NEAR = 0.15
"""How far a mean may be from the paper's, as a share of it."""


def speedup_table(
    assumptions: Assumptions, dataflow: str, arrays: Sequence[Array], counted: pd.DataFrame
) -> pd.DataFrame:
    """A row each combination of what says something of a dataflow: a network a column, ``mean`` the last.

    Args:
        assumptions: what is left open.
        dataflow: one of the paper's three.
        arrays: what was counted.
        counted: ``model``, ``run``, and the columns of :meth:`~.counts.ArrayCounts.table`.
    """
    named = {one.digest: one.chosen for one in arrays}
    counted = counted[counted["array"].isin(named)]
    runs = combinations(assumptions.on("run"))
    tables = []
    for chosen in combinations(assumptions.of(dataflow, "sum")):
        if assumptions.why_not(chosen):
            continue
        speedups = Sum(**assumptions.fields(chosen, "sum")).speedups(counted, ["model", "run", "array"])
        table = speedups.unstack("model")[list(dict.fromkeys(counted["model"]))]
        described = [{**chosen, **runs[run], **named[array]} for run, array in table.index]
        tables.append(pd.concat([pd.DataFrame(described), table.reset_index(drop=True)], axis=1))
    names = [one.name for one in assumptions.of(dataflow)]
    whole = pd.concat(tables, ignore_index=True)
    networks = [column for column in whole if column not in names]
    return whole[[*names, *networks]].assign(mean=whole[networks].mean(axis=1))


def combine(assumptions: Assumptions, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row each combination that means something on all dataflows, the nearest to the paper first.

    Columns: the assumptions; the means, named as the dataflows; ``distance``, of the mean that is furthest
    from the paper's, as a share of the paper's.
    """
    whole: pd.DataFrame | None = None
    for dataflow, table in tables.items():
        names = [one.name for one in assumptions.of(dataflow)]
        means = table[[*names, "mean"]].rename(columns={"mean": dataflow})
        if whole is None:
            whole = means
            continue
        shared = [name for name in names if name in whole]
        whole = whole.merge(means, on=shared)
    if whole is None:
        raise ValueError("tables was empty")
    apart = [(whole[dataflow] / PUBLISHED_MEAN[dataflow] - 1).abs() for dataflow in tables]
    whole = whole.assign(distance=np.max(apart, axis=0))
    columns = [*(one.name for one in assumptions.all), *tables, "distance"]
    return whole[columns].sort_values("distance", ignore_index=True)


def meaningless(assumptions: Assumptions, refused: Sequence[Refused]) -> pd.DataFrame:
    """Why combinations are left out, and how many: ``why``, ``combinations``; several may say it of one."""
    every = pd.DataFrame(combinations(assumptions.all))
    reasons = [
        *((one.chosen, one.said) for one in assumptions.left_out),
        *((one.chosen, one.why) for one in refused),
    ]
    rows: dict[str, pd.Series] = {}
    for chosen, why in reasons:
        same = (every[list(chosen)] == pd.Series(chosen)).all(axis=1)
        rows[why] = rows.get(why, False) | same
    counts = [{"why": why, "combinations": int(same.sum())} for why, same in rows.items()]
    return pd.DataFrame(counts, columns=["why", "combinations"])


def near(combined: pd.DataFrame) -> pd.DataFrame:
    """The combinations all of whose means are near the paper's."""
    return combined[combined["distance"] <= NEAR]


def moves(assumptions: Assumptions, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """How much each assumption moves each mean.

    Columns: ``assumption``, ``value``, ``dataflow``; of the mean with this value over the mean with this
    package's own, all others alike: ``median``, ``least`` and ``most`` over the others.
    """
    rows = []
    for assumption in assumptions.all:
        _, *others = assumption.values
        for value in others:
            for dataflow in assumption.dataflows:
                names = [one.name for one in assumptions.of(dataflow) if one.name != assumption.name]
                by_value = tables[dataflow].pivot_table("mean", names, assumption.name)
                ratio = (by_value[value] / by_value[assumption.own]).dropna()
                figures = {"median": ratio.median(), "least": ratio.min(), "most": ratio.max()}
                rows.append({"assumption": assumption.name, "value": value, "dataflow": dataflow, **figures})
    return pd.DataFrame(rows)


def row_of(table: pd.DataFrame, chosen: Chosen) -> "pd.Series[float]":
    """The row of a table that has these values, as far as it has such columns."""
    names = [name for name in chosen if name in table]
    return table[(table[names] == pd.Series({name: chosen[name] for name in names})).all(axis=1)].iloc[0]


def networks(assumptions: Assumptions, tables: dict[str, pd.DataFrame], chosen: Chosen) -> pd.DataFrame:
    """The speed-ups of one combination: ``model``, and a dataflow a column."""
    rows = {dataflow: row_of(table, chosen) for dataflow, table in tables.items()}
    names = {one.name for one in assumptions.all} | {"mean"}
    models = [str(column) for column in next(iter(tables.values())) if column not in names]
    return pd.DataFrame([{"model": model, **{d: row[model] for d, row in rows.items()}} for model in models])
