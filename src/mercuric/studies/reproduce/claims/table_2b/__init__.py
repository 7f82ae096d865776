"""Table II (b): how much power do more sets draw?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.power import power_found


def found(folders: Mapping[str, Path]) -> Found:
    """From 16 sets of 16 ways to 64."""
    return power_found(folders["power"], "II", "sets", {"each": "each doubling of sets"})
