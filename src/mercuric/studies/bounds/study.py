"""How does MERCURY compare with the most that other ways to skip work can save? The data of Fig. 17."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from torch import Tensor, nn

from mercuric.accelerator import CycleCounter
from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike, Observation
from mercuric.reuse.layer_kinds import is_product
from mercuric.similarity import HitState, MCache
from mercuric.studies.bounds.limits import (
    dense_macs,
    outputs_of,
    similar_element_macs,
    ucnn_macs,
    zero_pruning_macs,
)
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone
from mercuric.subjects.config import ImageNetworkName, SubjectConfig
from mercuric.subjects.subject import Subject, load_subject
from mercuric.trace.coverage import coverage_beside
from mercuric.trace.forward_pass import infer
from mercuric.trace.network_calls import reusing
from mercuric.trace.normalisation import normalisation_of, normalised
from mercuric.trace.recorder import recording

UCNN_BITS = (6, 7, 8)
"""Fewer bits lose too much accuracy (paper VII-D1)."""
ROUNDED_BITS = 8
LEFT = (
    "mercury", "limitless", "zero_pruning", "elements", "rounded_elements",
    *(f"ucnn_{bits}{additions}" for additions in ("", "_adding") for bits in UCNN_BITS),
)  # fmt: skip
"""Columns of multiply-accumulates that are left, beside ``macs``, all of them."""


class BoundsConfig(SubjectConfig):
    """What is bounded.

    Attributes:
        images: training images in the batch; 16, or 2 above 64 pixels, where none is given.
        bits: signature length.
    """

    model: ImageNetworkName
    images: int | None = None
    bits: Annotated[int, Field(strict=True, ge=1, le=64)] = 20


@alone
def bounds_study(
    config: BoundsConfig,
    folder: Path,
    accelerator: str = "eyeriss-168",
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure every layer; write ``bounds.csv`` and ``bounds.json`` and return what the latter says.

    Args:
        config: network, weights, images and signature length.
        folder: where the files go.
        accelerator: whose forward cycles stand beside the bounds.
        progress: told after each layer.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: a wrong setting.
        MercuricError: files are missing or damaged.
        OSError: the folder can't be written.
    """
    counter = CycleCounter(accelerator, training=False)
    subject = load_subject(config, config.images, tell=tell)
    layers = measure(subject, config, counter, progress)
    described = {
        "model": config.model,
        "data": config.data,
        "weights": config.shown_weights,
        "normalisation": normalisation_of(subject.network, training=False),
        "coverage": coverage_beside(subject.network, subject.first(subject.least), layers["layer"]),
        "images": len(subject.places),
        **subject.size,
        "bits": config.bits,
        "accelerator": counter.accelerator.name,
        "mcache": {"entries": counter.accelerator.entries, "ways": counter.accelerator.ways},
    }
    summary = {**described, "speedup": speedups(layers), "machine": machine()}
    write_text(folder / "bounds.csv", layers.to_csv(index=False))
    write_text(folder / "bounds.json", json_text(summary))
    return summary


def measure(
    subject: Subject, config: BoundsConfig, counter: CycleCounter, progress: Progress = silent
) -> pd.DataFrame:
    """One inference of the images with MERCURY; every layer's activations are held against each bound.

    Returns:
        A layer a row: ``layer``, ``macs``, what is left of them (:data:`LEFT`), and the cycles of
        ``CycleCounter.layers``.
    """
    rows: dict[str, dict[str, Any]] = {}
    reuse = simulated_config(Alike.paper(bits=config.bits), counter.accelerator)

    def bound(name: str, layer: nn.Module, inputs: tuple[Tensor, ...], *_: Any) -> None:
        progress(len(rows), len(handle.layers), name)
        rows.setdefault(name, {"layer": name}).update(_bounds(layer, inputs[0]))

    def observe(seen: Observation) -> None:
        counter.observe(seen)
        rows.setdefault(seen.layer, {"layer": seen.layer}).update(_mercury(seen))

    by, inputs = normalisation_of(subject.network, training=False), subject.inputs
    with reusing(subject.network, reuse) as handle, normalised(subject.network, by, [inputs]):
        handle.observe(observe)
        modules = subject.network.named_modules()
        layers = {name: one for name, one in modules if name in handle.layers and is_product(one)}
        with recording(layers, after=bound):
            infer(subject.network, inputs)
    return pd.DataFrame(list(rows.values())).merge(counter.layers())


def speedups(layers: pd.DataFrame) -> dict[str, float]:
    """Over all layers: multiply-accumulates over what is left, and the simulated cycles' speed-ups.

    ``adapted`` is ``mercury`` with the layers off in which it has more to do (paper III-D).
    """
    total = layers["macs"].sum()
    found = {name: float(total / layers[name].sum()) for name in LEFT}
    found["adapted"] = float(total / layers[["macs", "mercury"]].min(axis=1).sum())
    for timing, prefix in COLUMN_PREFIXES.items():
        baseline, mercury = (layers[f"{prefix}_{side}"].sum() for side in ("baseline", "mercury"))
        found[f"cycles_{timing}"] = float(baseline / mercury)
    return found


def _bounds(layer: nn.Module, inputs: Tensor) -> dict[str, int]:
    outputs = outputs_of(layer, inputs)
    return {
        "macs": dense_macs(layer, inputs),
        "zero_pruning": zero_pruning_macs(layer, inputs),
        "elements": similar_element_macs(layer, inputs),
        "rounded_elements": similar_element_macs(layer, inputs, ROUNDED_BITS),
        **{f"ucnn_{bits}": ucnn_macs(layer, outputs, bits) for bits in UCNN_BITS},
        **{f"ucnn_{bits}_adding": ucnn_macs(layer, outputs, bits, False) for bits in UCNN_BITS},
    }


def _mercury(seen: Observation) -> dict[str, int]:
    """What MERCURY computes, signatures included, and what it would with any cache and free signatures."""
    if seen.hitmap is None or seen.signatures is None:
        return {"mercury": seen.shape.macs, "limitless": seen.shape.macs}
    hits = int(seen.hitmap.hits.sum())
    every = MCache(None, 1).access(seen.signatures, seen.context)
    misses = int((every.states != HitState.HIT.value).sum())
    vectors = seen.shape.scopes * seen.shape.vectors
    dot_products = (vectors - hits) * seen.shape.filters + vectors * seen.bits
    return {
        "mercury": dot_products * seen.shape.length,
        "limitless": misses * seen.shape.filters * seen.shape.length,
    }
