"""What does a study of the assumptions leave in its folder, and what does it say in short?"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.studies.machine import machine
from mercuric.studies.speedups.assumptions.arrays import Refused
from mercuric.studies.speedups.assumptions.assumption import Assumptions, Chosen, combinations
from mercuric.studies.speedups.assumptions.combined import (
    combine,
    meaningless,
    moves,
    near,
    networks,
    row_of,
)
from mercuric.studies.speedups.study import NETWORKS, PUBLISHED
from mercuric.studies.sweep.config import SweepConfig

SUMMARY, COMBINATIONS = "assumptions.json", "combinations.csv"
"""In short, and every combination; beside them a file a dataflow, every network under what moves it."""


def write_summary(
    folder: Path,
    config: SweepConfig,
    assumptions: Assumptions,
    tables: dict[str, pd.DataFrame],
    refused: Sequence[Refused],
    hits: pd.DataFrame,
) -> dict[str, Any]:
    """Write :data:`SUMMARY`, :data:`COMBINATIONS` and ``DATAFLOW.csv``; return what the first holds.

    Args:
        folder: of the study.
        config: of the study.
        assumptions: what is left open.
        tables: of each dataflow, as :func:`~.combined.speedup_table` has it.
        refused: what no array can be.
        hits: ``model``, ``run`` (its place among them) and ``hit_rate``.

    Returns:
        ``config``, ``reuse``, ``hits``, the ``assumptions``; ``whole``, whether the networks are the paper's
        eleven; how many combinations are ``declared`` and ``counted``, and the ``near`` ones; the ``best``
        and this package's ``own``, and their ``networks``; ``singles``, what is published of one network
        beside both; ``moves``, ``left_out`` and ``machine``.
    """
    combined = combine(assumptions, tables)
    best = _chosen(assumptions, combined.iloc[0])
    for name, table in (*tables.items(), (Path(COMBINATIONS).stem, combined)):
        write_text(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    by_network = {
        name: networks(assumptions, tables, chosen)
        for name, chosen in (("best", best), ("own", assumptions.own))
    }
    summary = {
        "config": config.model_dump(mode="json"),
        "reuse": config.found_with(),
        "hits": _hits(assumptions, hits),
        "assumptions": listed(assumptions),
        "whole": set(config.models) == set(NETWORKS),
        "declared": assumptions.number,
        "counted": len(combined),
        "near": records(near(combined)),
        "best": _plain(combined.iloc[0]),
        "own": _plain(row_of(combined, assumptions.own)),
        "networks": {name: records(table) for name, table in by_network.items()},
        "singles": _singles(by_network),
        "moves": records(moves(assumptions, tables)),
        "left_out": records(meaningless(assumptions, refused)),
        "machine": machine(),
    }
    write_text(folder / SUMMARY, json_text(summary) + "\n")
    return summary


def listed(assumptions: Assumptions) -> list[dict[str, Any]]:
    """The declared list, ready for JSON."""
    return [asdict(one) for one in assumptions.all]


def _hits(assumptions: Assumptions, hits: pd.DataFrame) -> dict[str, float]:
    """Mean hit rate of the networks, by what is assumed of a run."""
    runs = [", ".join(run.values()) for run in combinations(assumptions.on("run"))]
    return dict(zip(runs, hits.groupby("run")["hit_rate"].mean().tolist(), strict=True))


def _chosen(assumptions: Assumptions, row: "pd.Series[Any]") -> Chosen:
    return {one.name: str(row[one.name]) for one in assumptions.all}


def _plain(row: "pd.Series[Any]") -> dict[str, Any]:
    return records(row.to_frame().T)[0]


def _singles(by_network: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """What the paper says of one network by number, beside what it is here."""
    rows = []
    for (model, dataflow), published in PUBLISHED.items():
        found = {name: table.set_index("model")[dataflow].get(model) for name, table in by_network.items()}
        if None not in found.values():
            rows.append({"model": model, "dataflow": dataflow, "published": published, **found})
    return rows
