"""Fig. 17b: does MERCURY beat unlimited zero pruning?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.bounds import rival_found
from mercuric.studies.reproduce.found import Found


def found(folders: Mapping[str, Path]) -> Found:
    """MERCURY, losing layers off, beside the bound."""
    return rival_found(folders, "zero_pruning", "zero pruning", "figure-17b")
