"""How much similarity is there in a network on real images? The data of the paper's Figs. 1, 3, 9 and 15."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from torch import Tensor

from mercuric.accelerator.count.simulation import found_with
from mercuric.errors import MercuricError
from mercuric.files.json_text import json_text
from mercuric.files.writing import replacing, write_text
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike, similarity_rates
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone
from mercuric.studies.similarity.config import SimilarityConfig
from mercuric.studies.similarity.folder import StudySummary
from mercuric.studies.similarity.layers import TrainingStep, by_layer, training_step
from mercuric.studies.similarity.unique_vectors import unique_vectors
from mercuric.subjects.network import require_classes
from mercuric.subjects.subject import Subject, load_subject
from mercuric.trace.coverage import coverage_beside
from mercuric.trace.normalisation import normalisation_of

BITS = (8, 12, 16, 20, 24, 32, 48, 64)
FILES = {
    "layers": "fig01_15a_similarity.csv",
    "unique": "fig03_unique_vectors.csv",
    "maps": "fig09_hitmaps.csv",
    "cycles": "fig15b_cycles.csv",
    "channels": "fig15c_unique_vectors.csv",
    "bits": "similarity_by_bits.csv",
}
"""What each table of a study is called in its folder."""


_DRAWN_SETS = 4


@alone
def similarity_study(
    config: SimilarityConfig,
    folder: Path,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Run one training step at each signature length; write the study's folder and return its summary.

    Args:
        config: what to study.
        folder: gets ``config.yaml``, ``study.json``, ``image.png`` and the tables of :data:`FILES`; an
            earlier study of the same configuration is written over.
        progress: told after each part.
        tell: told in a sentence what is fetched.

    Raises:
        ValueError: a wrong setting.
        MercuricError: the folder holds something else, or files are missing or damaged.
        OSError: the folder can't be written.
    """
    _check_folder(folder, config)
    subject = load_subject(config, config.images, tell=tell)
    require_classes(subject.image_data, "a training step has a loss")
    lengths = sorted({*BITS, config.bits})
    parts = len(lengths) + 1 + _DRAWN_SETS
    tables: dict[str, pd.DataFrame] = {}
    by_bits = []
    for done, bits in enumerate(lengths):
        progress(done, parts, f"a training step with {bits} bits")
        step, cycles = _step(subject, config, bits, unlimited=False)
        layers = by_layer(step.table())
        by_bits.append(layers.assign(bits=bits))
        if bits == config.bits:
            tables |= {"layers": layers, "maps": _chosen_maps(step), "cycles": cycles}
    tables["bits"] = pd.concat(by_bits, ignore_index=True)
    progress(len(lengths), parts, "a training step with an unlimited MCACHE")
    tables["channels"] = _unique_by_channel(_step(subject, config, config.bits, unlimited=True)[0])
    progress(len(lengths) + 1, parts, "unique vectors by RPQ and Bloom filter")
    tables["unique"] = unique_vectors(
        subject.images[subject.most_contrast],
        progress=lambda done, *_: progress(len(lengths) + 1 + done, parts, "unique vectors"),
    )
    return _write(config, subject, tables, folder)


def _step(
    subject: Subject, config: SimilarityConfig, bits: int, *, unlimited: bool
) -> tuple[TrainingStep, pd.DataFrame]:
    reuse = _reuse(config, bits, **({"entries": None} if unlimited else {}))
    return training_step(
        subject.network, subject.images, subject.labels, reuse, config.seed, subject.most_contrast
    )


def _reuse(config: SimilarityConfig, bits: int, **changes: Any) -> Alike:
    return Alike.paper(bits=bits, seed=config.seed, **changes)


def _chosen_maps(step: TrainingStep) -> pd.DataFrame:
    """The first layer's channels, then one channel of layers spread over the network."""
    if not step.maps:
        return pd.DataFrame(columns=["layer", "channel", "row", "states"])
    first = step.maps[0]["layer"].iloc[0]
    of_first = [one for one in step.maps if one["layer"].iloc[0] == first]
    later = [one for one in step.maps if one["layer"].iloc[0] != first]
    spread = {round(place) for place in np.linspace(0, len(later) - 1, min(len(later), 3))}
    chosen: pd.DataFrame = pd.concat(
        [*of_first, *(later[place] for place in sorted(spread))], ignore_index=True
    )
    return chosen


def _unique_by_channel(step: TrainingStep) -> pd.DataFrame:
    """Distinct signatures: what an unlimited MCACHE inserts, a mean over a channel's scopes (images)."""
    table = step.table()
    return pd.DataFrame(
        {
            "layer": table["layer"],
            "product": table["product"],
            "channel": table["channel"],
            "scopes": table["scopes"],
            "vectors": table["vectors"] / table["scopes"],
            "unique": table["MAU"] / table["scopes"],
        }
    )


def _check_folder(folder: Path, config: SimilarityConfig) -> None:
    saved = folder / "config.yaml"
    if not saved.exists():
        return
    try:
        before = SimilarityConfig.read(saved)
    except ValueError:
        raise MercuricError(f"{folder} holds something else already; choose another --out") from None
    if before != config:
        raise MercuricError(f"{folder} holds another study already; choose another --out")


def _write(
    config: SimilarityConfig, subject: Subject, tables: dict[str, pd.DataFrame], folder: Path
) -> dict[str, Any]:
    layers = tables["layers"]
    summary: dict[str, Any] = {
        "model": config.model,
        **subject.form,
        "data": config.data,
        "weights": config.shown_weights,
        "normalisation": normalisation_of(subject.network, training=True),
        "coverage": coverage_beside(subject.network, subject.first(subject.least), set(layers["layer"])),
        "images": len(subject.images),
        "image_size": subject.image_data.image_size,
        "bits": config.bits,
        "reuse": found_with(_reuse(config, config.bits)),
        "similarity": {
            str(product): similarity_rates(rows) for product, rows in layers.groupby("product", sort=False)
        },
        "files": FILES,
        "machine": machine(),
    }
    write_text(folder / "config.yaml", config.to_yaml())
    for name, table in tables.items():
        write_text(folder / FILES[name], table.to_csv(index=False))
    _write_image(folder / "image.png", subject.pixels[subject.most_contrast])
    found = StudySummary.model_validate(summary).plain()
    write_text(folder / "study.json", json_text(found) + "\n")
    return found


def _write_image(path: Path, pixels: Tensor) -> None:
    array = pixels.permute(1, 2, 0).numpy()
    picture = Image.fromarray(array if array.shape[2] == 3 else array[..., -1])
    content = io.BytesIO()
    picture.save(content, format="PNG")
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())
