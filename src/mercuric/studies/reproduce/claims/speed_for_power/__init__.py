"""What does a larger MCACHE give, and what does it draw?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import at, setting_of_sweep, sweep_of
from mercuric.studies.sweep.study import combination_totals


def found(folders: Mapping[str, Path]) -> Found:
    """The step from 512 entries in 8 ways to 1024 in 16."""
    totals = combination_totals(sweep_of(folders["mcache"]), ["entries", "ways"]).set_index(
        ["entries", "ways"]
    )
    paper, fair = (
        at(totals, (1024, 16), f"{timing}_speedup") / at(totals, (512, 8), f"{timing}_speedup") - 1
        for timing in ("paper", "fair")
    )
    return Found(
        {"speed": Number(paper, fair)},
        f"The step gives {formats.percent(paper)} more speed.",
        setting_of_sweep(folders["mcache"]),
    )
