"""Fig. 13: what does training with reuse cost in accuracy?"""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated
from mercuric.studies.reproduce.studied import setting_of_training, training_of

Row = tuple[str, float, float]
"""A network and data set, and its score trained densely and with reuse, in points."""


def found(folders: Mapping[str, Path]) -> Found:
    """The table of accuracy where it was trained, else one network."""
    trained = training_of(folders)
    scores, bleu = _scores(folders)
    lost = [dense - reuse for _, dense, reuse in scores]
    numbers = {
        "lost": Number(
            mean(lost),
            beside=f"{min(lost):.2f} to {max(lost):.2f} in {formats.number_of(len(lost), 'training')}",
        ),
        "bleu": Number(mean(dense - reuse for _, dense, reuse in bleu)) if bleu else Number(None),
    }
    rows = [*scores, *bleu]
    names = [name for name, _, _ in rows]
    series = {"dense": [dense for _, dense, _ in rows], "with reuse": [reuse for _, _, reuse in rows]}
    return Found(
        numbers,
        f"{mean(lost):.2f} points lost on average of {formats.number_of(len(lost), 'training')}; the same "
        "weights, data order and steps on both sides.",
        setting_of_training(trained),
        [
            Picture(
                "figure-13",
                "Scores after training",
                "Test accuracy in per cent, or BLEU.",
                bars(names, series, "score"),
            )
        ],
        [
            tabulated(
                "training", names, series, lambda value: formats.MISSING if value is None else f"{value:.2f}"
            )
        ],
    )


def _scores(folders: Mapping[str, Path]) -> tuple[list[Row], list[Row]]:
    if "accuracy" in folders:
        table = pd.read_csv(folders["accuracy"] / "accuracy.csv")
        rows = [
            (str(row["row"]), row["metric"], float(row["dense"]), float(row["reuse"]))
            for _, row in table.iterrows()
        ]
        accuracy = [
            (name, 100 * dense, 100 * reuse) for name, metric, dense, reuse in rows if metric == "accuracy"
        ]
        return accuracy, [(name, dense, reuse) for name, metric, dense, reuse in rows if metric == "bleu"]
    summary = training_of(folders).summary
    if summary is None or summary.dense is None or summary.mercury_part is None:
        return [], []
    return [
        (f"{summary.model}, {summary.data}", 100 * summary.dense.score, 100 * summary.mercury_part.score)
    ], []
