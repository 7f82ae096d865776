"""How much faster is each network's training with MERCURY? The paper's Figs. 14c and 18."""

from math import nan
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from mercuric.accelerator import TIMINGS
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import combination_totals, sweep
from mercuric.studies.workers import HERE, Workers

NETWORKS = (
    "alexnet", "googlenet", "vgg13", "vgg16", "vgg19", "resnet50", "resnet101", "resnet152", "inception-v4",
    "mobilenet-v2", "squeezenet-1.0",
)  # fmt: skip
"""The paper's image networks (VI); its Transformer reads sentences."""

FIELDS = {"dataflow": ("row", "weight", "input"), "design": ("synchronous", "asynchronous")}
PUBLISHED_MEAN = {"row": 1.97, "weight": 1.66, "input": 1.55}
"""Mean speed-ups over the paper's networks (VII-A, VII-E)."""

PUBLISHED = {("vgg13", "row"): 1.89, ("resnet101", "weight"): 1.89, ("vgg19", "input"): 1.72}
"""Speed-ups that the paper gives for one network by number (I, VII-E)."""


def speedups(
    config: SweepConfig,
    folder: Path,
    workers: Workers = HERE,
    resume: bool = False,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate the networks on three dataflows and two designs; write ``speedups.csv`` and ``lost.csv``.

    Args:
        config: networks and data; varies :data:`FIELDS`.
        folder: gets the files, and the sweep.
        workers: as for :func:`~mercuric.studies.sweep.study.sweep`.
        resume: as there.
        progress: as there.

    Returns:
        What :func:`speedup_table` and :func:`lost` say.

    Raises:
        ValueError, MercuricError, OSError: as the sweep.
    """
    results = sweep(config, folder, workers, resume, progress)
    table, left = speedup_table(results), lost(results)
    write_text(folder / "speedups.csv", table.to_csv(index=False))
    write_text(folder / "lost.csv", left.to_csv(index=False))
    return table, left


def speedup_table(results: pd.DataFrame) -> pd.DataFrame:
    """A row a network and dataflow, the mean of all networks last where there are several.

    Columns: ``model``, ``dataflow``, ``hit_rate``; the speed-up of training by design and timing, as
    ``synchronous_paper``, with losing layers off (III-D); ``no_hits``, the most that any of the four is
    without hits and signatures: what it has above 1 is not reuse's; and ``published``, where the paper has a
    number. It has means of its own networks (:data:`NETWORKS`), so no mean of others stands beside them.
    """
    totals = combination_totals(results, list(FIELDS))
    rows = []
    for (model, dataflow), group in totals.groupby(["model", "dataflow"], sort=False):
        row: dict[str, Any] = {"model": model, "dataflow": dataflow, "hit_rate": group["hit_rate"].iloc[0]}
        for _, one in group.iterrows():
            for timing in TIMINGS:
                row[f"{one['design']}_{timing}"] = one[f"{timing}_adapted"]
        row["no_hits"] = max(group[f"{timing}_no_hits"].max() for timing in TIMINGS)
        rows.append({**row, "published": PUBLISHED.get((str(model), str(dataflow)))})
    return pd.DataFrame([*rows, *_means(rows)])


def _means(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    models = {row["model"] for row in rows}
    if len(models) == 1:
        return []
    published = PUBLISHED_MEAN if models == set(NETWORKS) else {}
    found = []
    for dataflow in FIELDS["dataflow"]:
        group = [row for row in rows if row["dataflow"] == dataflow]
        figures = [name for name in rows[0] if name not in ("model", "dataflow", "published")]
        averages = {name: mean(row[name] for row in group) for name in figures}
        found.append(
            {"model": "mean", "dataflow": dataflow, **averages, "published": published.get(dataflow)}
        )
    return found


def lost(results: pd.DataFrame) -> pd.DataFrame:
    """Where the cycles go that HITs could save: row stationary, synchronous, paper timing.

    Columns, each a speed-up of the whole network: ``free`` if a HIT cost nothing; ``products`` as they
    are, a HIT being a cycle and every PE set waiting for the slowest; ``signatures`` with these;
    ``adapted`` with losing layers off; ``convolutions`` the last without fully connected layers.
    """
    chosen = results[(results["dataflow"] == "row") & (results["design"] == "synchronous")]
    return pd.DataFrame([_lost(str(model), layers) for model, layers in chosen.groupby("model", sort=False)])


def _lost(model: str, layers: pd.DataFrame) -> dict[str, Any]:
    baseline, mercury = layers["cycles_baseline"], layers["cycles_mercury"]
    hits = (layers["HIT"] / layers["vectors"].where(layers["vectors"] > 0)).fillna(0)
    kept = layers[["cycles_baseline", "cycles_mercury"]].min(axis=1)
    convolution = layers["kind"] == "conv"
    whole = baseline.sum()
    return {
        "model": model,
        "hit_rate": layers["HIT"].sum() / layers["vectors"].sum(),
        "free": whole / (baseline * (1 - hits)).sum(),
        "products": whole / (mercury - layers["cycles_signature"] - layers["cycles_stall"]).sum(),
        "signatures": whole / mercury.sum(),
        "adapted": whole / kept.sum(),
        "convolutions": baseline[convolution].sum() / kept[convolution].sum() if convolution.any() else nan,
    }
