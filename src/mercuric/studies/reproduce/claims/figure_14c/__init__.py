"""Fig. 14c: how much faster is training on a row-stationary array?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.speedups import dataflow_found, network, speedups_of

BIGGER = ("resnet152", "vgg19", "inception-v4")


def found(folders: Mapping[str, Path]) -> Found:
    """Every network, and the mean."""
    table = speedups_of(folders, "row")
    mean = network(table, "mean")
    numbers = {"mean": mean, "vgg13": network(table, "vgg13")}
    bigger = [table.loc[name] for name in BIGGER if name in table.index]
    if mean.ours is not None and bigger:
        gains = [bool(one["synchronous_paper"] > mean.ours) for one in bigger]
        numbers["bigger"] = Number(float(all(gains)), beside=f"{sum(gains)} of {len(gains)}")
    lost = pd.read_csv(folders["speedups"] / "lost.csv")
    return dataflow_found(
        folders, table, numbers, "figure-14c",
        f"{formats.percent(lost['hit_rate'].mean(), 0)} of the vectors hit; a HIT that cost nothing "
        "would give "
        f"{formats.ratio(lost['free'].mean())}, its cycle and the slowest PE set leave "
        f"{formats.ratio(lost['products'].mean())}, signatures {formats.ratio(lost['signatures'].mean())}.",
    )  # fmt: skip
