"""Narrower networks: do they keep their accuracy for less energy?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated

POINT = 0.01


def found(folders: Mapping[str, Path]) -> Found:
    """Networks that were trained, by accuracy and energy; the first is the original."""
    trials = pd.read_csv(folders["shrinking"] / "trials.csv")
    summary = read_json_object(folders["shrinking"] / "shrink.json")
    original = trials.iloc[int(trials["energy"].to_numpy().argmax())]
    good = trials[
        (trials["accuracy"] >= original["accuracy"] - POINT) & (trials["energy"] < original["energy"])
    ]
    saved = 1 - good["energy"].min() / original["energy"] if len(good) else 0.0
    rows = trials.sort_values("energy")
    names = [formats.percent(one / original["energy"], 0) for one in rows["energy"]]
    series = {"accuracy": rows["accuracy"].tolist()}
    return Found(
        {"better": Number(float(saved), beside=f"{len(good)} of {len(trials) - 1} smaller networks")},
        f"{len(good)} of {len(trials) - 1} smaller networks are within a point of the original's "
        f"{formats.percent(original['accuracy'])}; "
        "with so few steps of training their order is chance.",
        [
            ("Network", f"{summary['model']}, {summary['width']:g} of its width"),
            ("Data", str(summary["data"])),
        ],
        [
            Picture(
                "mapping-shrinking",
                "Accuracy by energy",
                "Share of the original's energy a network.",
                bars(names, series, "accuracy"),
            )
        ],
        [tabulated("energy", names, series, formats.percent)],
    )
