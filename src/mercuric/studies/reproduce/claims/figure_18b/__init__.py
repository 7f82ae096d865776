"""Fig. 18b: how much faster is training on an weight-stationary array?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.speedups import dataflow_found, most, network, speedups_of


def found(folders: Mapping[str, Path]) -> Found:
    """Every network, and the mean."""
    table = speedups_of(folders, "weight")
    mean = network(table, "mean")
    numbers = {"mean": mean, "resnet101": network(table, "resnet101"), "most": most(table, "resnet101")}
    return dataflow_found(
        folders, table, numbers, "figure-18b",
        f"The baseline decides: {formats.ratio(mean.ours)} against the array channel by channel, "
        f"{formats.ratio(mean.fair)} where "
        "the folds of both sides overlap.",
    )  # fmt: skip
