"""Table III (b): how much power do more ways draw?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.power import power_found


def found(folders: Mapping[str, Path]) -> Found:
    """From 64 sets of 2 ways to 16."""
    return power_found(folders["power"], "III", "ways", {"each": "each doubling of ways"})
