"""Which vectors of a network are computed once with exact reuse, layer by layer?"""

import io
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from mercuric.errors import MercuricError
from mercuric.files.json_text import json_text
from mercuric.files.writing import replacing, write_text
from mercuric.progress import Progress, silent
from mercuric.reuse import Equal, Observation, ReuseHandle, reuse_
from mercuric.similarity import HitState
from mercuric.studies.bench.equal.cases import Case, Inputs, build, load
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone
from mercuric.studies.similarity.equal.config import EqualSimilarityConfig
from mercuric.subjects.subject import few

LAYERS, SUMMARY, IMAGE = "layers.csv", "classes.json", "image.png"
MAPS = "maps"
"""The folder of pictures: white where a vector of the shown image is computed, black where it is a copy."""


@alone
def equal_similarity(
    config: EqualSimilarityConfig, folder: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Run a network once on some images; write the study's folder and return its summary.

    Args:
        config: what to study.
        folder: gets ``config.yaml``, :data:`SUMMARY`, :data:`LAYERS`, :data:`IMAGE` and :data:`MAPS`; an
            earlier study of the same configuration is written over.
        progress: told after each part.

    Raises:
        ValueError: a wrong setting, or data that the network does not read.
        MercuricError: the folder holds something else, or files are missing or damaged.
        OSError: the folder can't be written.
    """
    _check_folder(folder, config)
    case = Case(config.model, config.data, config.image_size, config.images)
    progress(0, 2, f"loading {config.data}")
    loaded = load(case, config.data_root)
    places = few(loaded.train, config.images, loaded.name)
    images, pixels = loaded.train.batch(places)[0], loaded.train.pixels(places)
    shown = int(pixels.float().flatten(1).std(1).argmax())
    inputs = Inputs.of(loaded)
    network = build(case, inputs, EqualBench(seed=config.seed, model_args=config.model_args)).eval()
    progress(1, 2, f"a pass of {config.model}")
    layers, maps = equal_layers(network, images, config, shown)
    progress(2, 2)
    summary = {
        "model": config.model, "data": config.data, "image_size": inputs.image_size,
        "images": config.images, "levels": config.levels, "scope": config.scope, **_shares(layers),
        "machine": machine(),
    }  # fmt: skip
    _write(folder, config, summary, layers, maps, pixels[shown])
    return summary


def equal_layers(
    network: nn.Module, images: Tensor, config: EqualSimilarityConfig, shown: int
) -> tuple[pd.DataFrame, dict[str, NDArray[np.bool_]]]:
    """A layer a row, and for each layer that reads images which vectors of one of them are computed.

    Args:
        network: in evaluation mode, without reuse layers; it gets them.
        images: (N, C, H, W).
        config: which vectors are equal.
        shown: which image.

    Returns:
        ``layer``, ``kind``, ``vectors``, ``classes``, ``computed`` (share of the vectors), ``macs`` of the
        dense product, ``macs_computed``, ``computes``; and layer to (H', W').
    """
    handle = reuse_(network, Equal(levels=config.levels, scope=config.scope, most=1.0))
    maps: dict[str, NDArray[np.bool_]] = {}

    def observe(seen: Observation) -> None:
        assert seen.hitmap is not None  # noqa: S101 - layers tell of passes by classes alone
        vectors = seen.shape.vectors * seen.shape.images // len(images)
        side = isqrt(vectors)
        if seen.kind == "conv" and side * side == vectors and side > 1:
            states = seen.hitmap.states[: seen.shape.images].reshape(len(images), side, side)[shown]
            maps.setdefault(seen.layer, (states != HitState.HIT.value).cpu().numpy())

    stop = handle.observe(observe)
    with torch.no_grad():
        network(images)
    stop()
    return _layers(handle), maps


def _layers(handle: ReuseHandle) -> pd.DataFrame:
    rows = []
    for name, state in handle.layers.items():
        counts, macs = state.counts, handle.coverage.reused[name]
        classes, vectors = counts.mau + counts.mnu, counts.vectors
        share = classes / vectors if vectors else 1.0
        rows.append(
            {
                "layer": name, "kind": state.kind, "vectors": vectors, "classes": classes, "computed": share,
                "macs": macs, "macs_computed": round(macs * share), "computes": state.row()["computes"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _shares(layers: pd.DataFrame) -> dict[str, float]:
    sums = layers[["vectors", "classes", "macs", "macs_computed"]].sum()
    return {
        "vectors_computed": float(sums["classes"] / max(1, sums["vectors"])),
        "macs_computed": float(sums["macs_computed"] / max(1, sums["macs"])),
        "limit": float(sums["macs"] / max(1, sums["macs_computed"])),
    }


def _check_folder(folder: Path, config: EqualSimilarityConfig) -> None:
    saved = folder / "config.yaml"
    if not saved.exists():
        return
    try:
        before = EqualSimilarityConfig.read(saved)
    except ValueError:
        raise MercuricError(f"{folder} holds something else already; choose another --out") from None
    if before != config:
        raise MercuricError(f"{folder} holds another study already; choose another --out")


def _write(
    folder: Path,
    config: EqualSimilarityConfig,
    summary: dict[str, Any],
    layers: pd.DataFrame,
    maps: dict[str, NDArray[np.bool_]],
    pixels: Tensor,
) -> None:
    write_text(folder / "config.yaml", config.to_yaml())
    write_text(folder / LAYERS, layers.to_csv(index=False))
    (folder / MAPS).mkdir(exist_ok=True)
    for name, computed in maps.items():
        _write_picture(folder / MAPS / f"{name}.png", Image.fromarray(computed))
    # Of a game's state the newest frame; more channels than a picture has are frames.
    seen = pixels if len(pixels) in (1, 3) else pixels[-1:]
    array = seen.permute(1, 2, 0).numpy()
    _write_picture(folder / IMAGE, Image.fromarray(array[..., 0] if array.shape[2] == 1 else array))
    write_text(folder / SUMMARY, json_text(summary) + "\n")


def _write_picture(path: Path, picture: Image.Image) -> None:
    content = io.BytesIO()
    picture.save(content, format="PNG")
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())
