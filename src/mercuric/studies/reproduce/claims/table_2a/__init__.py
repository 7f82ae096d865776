"""Table II (a): how many registers, LUTs and blocks do more sets take?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.circuits import circuits_found
from mercuric.studies.reproduce.found import Found


def found(folders: Mapping[str, Path]) -> Found:
    """From 16 sets of 16 ways to 64."""
    return circuits_found(folders, "II")
