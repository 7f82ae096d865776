"""Fig. 18a: how much faster is training on an input-stationary array?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.speedups import dataflow_found, most, network, speedups_of


def found(folders: Mapping[str, Path]) -> Found:
    """Every network, and the mean."""
    table = speedups_of(folders, "input")
    mean = network(table, "mean")
    numbers = {"mean": mean, "vgg19": network(table, "vgg19"), "most": most(table, "vgg19")}
    return dataflow_found(
        folders, table, numbers, "figure-18a",
        f"The baseline decides: {formats.ratio(mean.ours)} against the array channel by channel, "
        f"{formats.ratio(mean.fair)} where "
        "the folds of both sides overlap.",
    )  # fmt: skip
