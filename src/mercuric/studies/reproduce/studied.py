"""What do the folders of the studies say, as the claims read them?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page.found_with import found_with, normalised
from mercuric.studies.similarity.folder import Study, read_study
from mercuric.studies.similarity.training import Trained, read_training
from mercuric.studies.sweep.study import RESULTS, read_part
from mercuric.studies.train.summary_file import Summary

Setting = list[tuple[str, str]]
"""What ran: terms and words."""


def similarity_of(folders: Mapping[str, Path]) -> Study:
    """The study of VGG13's similarity."""
    return read_study(folders["similarity"])


def seeds_of_similarity(folders: Mapping[str, Path]) -> list[Study]:
    """The same of every seed that ran, the first one first."""
    return [read_study(path) for name, path in folders.items() if name.startswith("similarity")]


def setting_of(study: Study) -> Setting:
    """Network, images and signatures of a similarity study."""
    summary = study.summary
    return [
        ("Network", f"{summary.model}, {summary.weights}; {normalised(summary.normalisation)}"),
        ("Images", f"{summary.images} of {summary.data}, {summary.image_size} x {summary.image_size} pixels"),
        ("Similarity", found_with(summary.reuse)),
    ]


def at(table: pd.DataFrame, row: object, column: object) -> float:
    """One number of a table."""
    found: Any = table.loc[row, column]  # type: ignore[index]
    return float(found)


def rise(layers: "pd.Series[float]") -> float:
    """How steadily a number rises from layer to layer: Spearman's rank correlation with the layer's place."""
    return float(layers.corr(layers.index.to_series(), method="spearman"))


def convolutions(layers: pd.DataFrame) -> pd.DataFrame:
    """The convolutions' forward rows of a similarity study's table of VGG13."""
    rows = layers[layers["layer"].str.startswith("features.")]
    return rows[rows["product"] == "forward"] if "product" in rows else rows


def sweep_of(folder: Path) -> pd.DataFrame:
    """A layer a row, of every combination that a sweep simulated."""
    return read_part(folder / RESULTS)


def setting_of_sweep(folder: Path) -> Setting:
    """Networks, images, signatures and the array of a sweep."""
    summary = read_json_object(folder / "sweep.json")
    config = summary["config"]
    by = sorted({normalised(one) for one in summary["normalisation"].values()})
    size = config["image_size"]
    return [
        ("Networks", f"{', '.join(config['models'])}; {config['weights']} weights, seed "
            f"{config['seed']}; {'; '.join(by)}"),
        ("Images", f"{config['images']} of "
            f"{config['data'] or 'photos'}" + (f", {size} x {size} pixels" if size else "")),
        ("Similarity", found_with(summary["reuse"])),
        ("Array", config["accelerator"]),
    ]  # fmt: skip


def mcache_speedups(totals: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Speed-ups by entries and ways, in the paper's timing and in the fair one."""
    paper, fair = (
        totals.pivot_table(index="entries", columns="ways", values=f"{timing}_speedup")
        for timing in ("paper", "fair")
    )
    return paper, fair


def mcache_gain(speedups: pd.DataFrame, before: tuple[int, int], after: tuple[int, int]) -> float:
    """What other entries and ways gain, as a share."""
    return at(speedups, *after) / at(speedups, *before) - 1


def training_of(folders: Mapping[str, Path]) -> Trained:
    """The training of VGG13, densely and with reuse."""
    return read_training(folders["training"])


def setting_of_training(trained: Trained) -> Setting:
    """Network, data and seeds of a training."""
    return [] if trained.summary is None else setting_of_summary(trained.summary)


def setting_of_summary(summary: Summary) -> Setting:
    """Network, data and seeds, by ``summary.json``."""
    seeds = ", ".join(map(str, summary.seeds))
    return [
        ("Network", f"{summary.model}, {summary.width:g} of its width, seeds {seeds}"),
        (
            "Data",
            f"{summary.data}, {summary.train_images or summary.train_pairs} training examples, "
            f"{summary.epochs} epochs",
        ),
    ]
