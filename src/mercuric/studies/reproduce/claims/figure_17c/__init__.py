"""Fig. 17c: does MERCURY beat unlimited similar elements?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.bounds import MERCURY, bounds_found, bounds_of, over
from mercuric.studies.reproduce.found import Found

RIVAL = "elements"


def found(folders: Mapping[str, Path]) -> Found:
    """MERCURY, losing layers off, beside the bound."""
    table = bounds_of(folders)
    means = table.mean()
    return bounds_found(
        folders, {RIVAL: "similar elements"}, {"ahead": over(table, RIVAL)}, "figure-17c",
        f"MERCURY leaves {formats.ratio(means[MERCURY])} fewer on average, similar elements "
        f"{formats.ratio(means[RIVAL])}; "
        "the networks part widely.",
    )  # fmt: skip
