"""What does a larger MCACHE give, and what does it draw?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import mcache_gain, mcache_speedups, setting_of_sweep, sweep_of
from mercuric.studies.sweep.study import combination_totals


def found(folders: Mapping[str, Path]) -> Found:
    """The step from 512 entries in 8 ways to 1024 in 16."""
    totals = combination_totals(sweep_of(folders["mcache"]), ["entries", "ways"])
    paper, fair = (mcache_gain(one, (512, 8), (1024, 16)) for one in mcache_speedups(totals))
    return Found(
        {"speed": Number(paper, fair)},
        f"The step gives {formats.percent(paper)} more speed.",
        setting_of_sweep(folders["mcache"]),
    )
