"""Fig. 17c: does MERCURY beat unlimited similar elements?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.bounds import rival_found
from mercuric.studies.reproduce.found import Found


def found(folders: Mapping[str, Path]) -> Found:
    """MERCURY, losing layers off, beside the bound."""
    return rival_found(folders, "elements", "similar elements", "figure-17c")
