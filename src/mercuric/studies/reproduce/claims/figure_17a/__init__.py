"""Fig. 17a: does MERCURY beat UCNN?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.bounds import MERCURY, bounds_found, bounds_of, over
from mercuric.studies.reproduce.found import Found

RIVALS = {"ucnn_8_adding": "UCNN, 8 bits", "ucnn_7_adding": "UCNN, 7 bits", "ucnn_6_adding": "UCNN, 6 bits"}


def found(folders: Mapping[str, Path]) -> Found:
    """MERCURY, losing layers off, beside UCNN that pays its additions."""
    table = bounds_of(folders)
    means = table.mean()
    numbers = dict(zip(("eight", "seven", "six"), (over(table, rival) for rival in RIVALS), strict=True))
    return bounds_found(
        folders, RIVALS, numbers, "figure-17a",
        f"MERCURY leaves {formats.ratio(means[MERCURY])} fewer on average, UCNN with 8 bits "
        f"{formats.ratio(means['ucnn_8_adding'])} and, were "
        f"all its additions free, {formats.ratio(means['ucnn_8'])}.",
    )  # fmt: skip
