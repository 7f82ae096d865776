"""Toggling: which layers of the custom network are off in the end?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import setting_of_training
from mercuric.studies.similarity.training import read_training


def found(folders: Mapping[str, Path]) -> Found:
    """Layers that are off at the end, by name."""
    trained = read_training(folders["training-custom"])
    part = None if trained.summary is None else trained.summary.mercury_part
    if part is None:
        return Found({}, "The training had no MERCURY.")
    off = sorted({layer for seed in part.layers_off for layer in seed})
    layers = len(part.final_bits[0]) if part.final_bits else 0
    named = f" ({formats.listing(off)})" if off else ""
    return Found(
        {"toggled": Number(float(len(off)), beside=f"{len(off)} of {layers}{named}")},
        f"{len(off)} of {layers} layers cost more cycles than they save and turn off by themselves.",
        setting_of_training(trained),
    )
