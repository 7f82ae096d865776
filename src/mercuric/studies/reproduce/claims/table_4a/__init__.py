"""Table IV (a): how many registers, LUTs and blocks does MERCURY take beside the baseline?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.circuits import circuits_found
from mercuric.studies.reproduce.found import Found


def found(folders: Mapping[str, Path]) -> Found:
    """The baseline, and 64 sets of 16 ways."""
    return circuits_found(folders, "IV")
