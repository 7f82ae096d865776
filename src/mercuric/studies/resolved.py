"""On what does a run rest, once the names in its configuration are looked up?

A name stays the same where the file behind it changes: a folder that is gone on with must rest on the same.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from mercuric.accelerator import Accelerator
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.data import ArrayData, ArraySplit, Data, ImageData, Split
from mercuric.data.arrays import ImagesOfArrays, shown_shape
from mercuric.data.image_folder import FolderSplit
from mercuric.data.own_arrays import OwnArrays
from mercuric.data.split import InMemorySplit
from mercuric.data.text import TextSplit
from mercuric.subjects.providers.provider import Opened

_SAMPLES = 16
"""Images of a folder that are read; of the others the name and the size are looked at."""


def resolved_hardware(accelerator: Accelerator) -> dict[str, Any]:
    """An accelerator and its table of energies, field by field, ready for JSON."""
    return {
        "accelerator": accelerator.model_dump(mode="json"),
        "energies": fitting(accelerator).model_dump(mode="json"),
    }


def resolved_weights(weights: str) -> dict[str, Any]:
    """Where weights come from, and the contents of a file, ready for JSON."""
    path = Path(weights)
    contents = {"sha256": sha256(path.read_bytes()).hexdigest()} if path.is_file() else {}
    return {"weights": {"from": weights, **contents}}


def resolved_networks(networks: Mapping[str, Opened]) -> dict[str, Any]:
    """On what networks rest that are not of the zoo, ready for JSON: digests of code and files, versions."""
    found = {name: dict(opened.rests_on()) for name, opened in networks.items()}
    rest = {name: facts for name, facts in found.items() if facts}
    return {"networks": rest} if rest else {}


def resolved_data(loaded: Data) -> dict[str, Any]:
    """How much there is of a data set, and a digest of it, ready for JSON."""
    described: dict[str, Any] = {"name": loaded.name}
    if isinstance(loaded, ImageData):
        described |= {"classes": list(loaded.classes), "image_size": loaded.image_size}
    elif isinstance(loaded, ArrayData):
        described |= {"classes": list(loaded.classes), "shapes": list(map(shown_shape, loaded.shapes))}
    else:
        described |= {"vocabulary": len(loaded.vocabulary)}
    for part, split in (("train", loaded.train), ("test", loaded.test)):
        described |= {part: len(split), f"{part}_sha256": _digest(_contents(split))}
    return {"data": described}


def _contents(split: Split | TextSplit | ArraySplit) -> Iterable[bytes]:
    if isinstance(split, TextSplit):
        for pair in zip(split.sources, split.targets, strict=True):
            yield "\n".join(pair).encode()
        return
    if isinstance(split, ImagesOfArrays):
        split = split.arrays
    if isinstance(split, OwnArrays):
        for tensor in (*split.inputs, split.labels):
            yield tensor.contiguous().numpy().tobytes()
        return
    if isinstance(split, InMemorySplit):
        for tensor in (split.images, split.labels):
            yield tensor.contiguous().numpy().tobytes()
        return
    if isinstance(split, FolderSplit):
        for path in split.files:
            yield f"{path.parent.name}/{path.name} {path.stat().st_size}".encode()
    if len(split):
        spread = torch.linspace(0, len(split) - 1, min(_SAMPLES, len(split))).long()
        read, labels = split.batch(spread)
        for tensor in (*(read if isinstance(read, tuple) else (read,)), labels):
            yield tensor.contiguous().numpy().tobytes()


def _digest(parts: Iterable[bytes]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(part)
        digest.update(b"\0")
    return digest.hexdigest()
