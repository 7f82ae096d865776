"""Table III (a): how many registers, LUTs and blocks do more ways take?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.circuits import circuits_found
from mercuric.studies.reproduce.found import Found


def found(folders: Mapping[str, Path]) -> Found:
    """From 64 sets of 2 ways to 16."""
    return circuits_found(folders, "III")
