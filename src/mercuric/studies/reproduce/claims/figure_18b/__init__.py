"""Fig. 18b: how much faster is training on a weight-stationary array?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.studies.reproduce.found import Found
from mercuric.studies.reproduce.speedups import systolic_found


def found(folders: Mapping[str, Path]) -> Found:
    """Every network, and the mean."""
    return systolic_found(folders, "weight", "resnet101", "figure-18b")
