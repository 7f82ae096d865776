"""Table IV (b): how much power does MERCURY draw beside the baseline?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.power import power_found


def found(folders: Mapping[str, Path]) -> Found:
    """The baseline, and 64 sets of 16 ways."""
    return power_found(folders["power"], "IV", "mcache", {"majority": "signals and logic"})
