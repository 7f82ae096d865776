"""What does a larger MCACHE give, and what does it draw?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.studies.hardware.power.summary import SUMMARY
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.power import growth_of, setting_of_power
from mercuric.studies.reproduce.studied import mcache_gain, mcache_speedups, setting_of_sweep, sweep_of
from mercuric.studies.sweep.study import combination_totals

GAINS = {"speed": ((512, 8), (1024, 16)), "double": ((1024, 16), (2048, 16))}


def found(folders: Mapping[str, Path]) -> Found:
    """The step from 512 entries in 8 ways to 1024 in 16, and the one to 2048."""
    numbers, why, setting = dict[str, Number](), list[str](), list[tuple[str, str]]()
    if "mcache" in folders:
        paper, fair = mcache_speedups(combination_totals(sweep_of(folders["mcache"]), ["entries", "ways"]))
        numbers = {
            name: Number(mcache_gain(paper, *step), mcache_gain(fair, *step)) for name, step in GAINS.items()
        }
        speed, double = (formats.percent(numbers[name].ours) for name in GAINS)
        why.append(f"The step to 1024 entries gives {speed} more speed, the one to 2048 {double}.")
        setting += setting_of_sweep(folders["mcache"])
    if "power" in folders:
        summary = read_json_object(folders["power"] / SUMMARY)
        numbers["power"] = growth_of(summary, "step")
        setting += setting_of_power(summary)
        why.append(f"It draws {formats.percent(numbers['power'].ours)} more power.")
    return Found(numbers, " ".join(why), setting)
