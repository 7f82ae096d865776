"""How often is a trained network right with reuse, and how often without?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.config import Config
from mercuric.data import ImageData
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, ReuseHandle, reuse_, similarity_rates
from mercuric.reuse.alike.config import ReadAlike
from mercuric.studies.machine import machine
from mercuric.subjects.loaded_network import normalised
from mercuric.subjects.weighted_network import size_for, weighted_network
from mercuric.training.config import Positive
from mercuric.zoo import pretrained

TOP = 5
Progress = Callable[[int, int, str], None]
"""Called with batches done, batches in all, and what is going on."""
Log = Callable[[str], None]
"""Called with each line of the log."""


class EvaluatedAccuracy(Config):
    """A network, its weights, and the test images that it is judged on.

    Attributes:
        model: a network of the zoo that reads images.
        weights: a name of ``mercuric.zoo.pretrained``, or a training run's checkpoint.
        data: a data set of images; its test part is taken.
        data_root: where its files and the pretrained weights lie.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
        width: channels of each layer, times this, as in training.
        images: how many test images, drawn by the seed; all by default.
        batch: images that run at once; fully connected layers compare these.
        seed: what the images are drawn by.
        reuse: how similarity is found.
    """

    model: str
    weights: str
    data: str = "photos"
    data_root: str | None = None
    image_size: Annotated[int, Field(ge=1)] | None = None
    width: Annotated[float, Field(gt=0)] = 1.0
    images: Positive | None = None
    batch: Positive = 8
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    reuse: ReadAlike = Field(default_factory=Alike)


@dataclass
class _Right:
    """Images that were told right so far: the best guess, and the best :data:`TOP`."""

    first: int = 0
    among: int = 0

    def add(self, outputs: Tensor, labels: Tensor) -> None:
        best = outputs.topk(min(TOP, outputs.shape[1])).indices == labels[:, None]
        self.first += int(best[:, 0].sum())
        self.among += int(best.sum())

    def shares(self, seen: int, classes: int) -> dict[str, float]:
        top = {f"top{TOP}": self.among / seen} if classes > TOP else {}
        return {"top1": self.first / seen, **top}


def evaluated_accuracy(
    config: EvaluatedAccuracy,
    progress: Progress = lambda *_: None,
    log: Log = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Judge the network on the same images with reuse, every layer on, and without.

    Args:
        config: what is judged.
        progress: told before each batch.
        log: told lines as they come: device, images, and the standing after each batch.
        tell: told in a sentence what is fetched.

    Returns:
        The configuration; ``with_reuse`` and ``without`` with ``top1``, and ``top5`` where there are more
        than five classes, as shares of the images; ``alike``, the share that both tell alike; ``hit_rate``,
        ``zero_rate`` and ``similar_rate`` of all input vectors; and ``machine``.

    Raises:
        ValueError: a wrong name or number, or the network tells other classes apart than the data have.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    loaded, network = _load(config, tell)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = _drawn(config, len(loaded.test))
    batches = torch.split(chosen, config.batch)
    log(f"Using Device: {device}")
    log(f"Selected Images: {chosen.tolist()}")
    log(f"Length of test loader: {len(batches)}")
    network.to(device).eval()
    handle = reuse_(network, config.reuse)
    with_reuse, without, alike, seen = _Right(), _Right(), 0, 0
    for done, (reused, dense, labels) in enumerate(_outputs(network, handle, loaded, batches, device)):
        progress(done, len(batches), "batches")
        seen += len(labels)
        with_reuse.add(reused, labels)
        without.add(dense, labels)
        alike += int((reused.argmax(1) == dense.argmax(1)).sum())
        log(_standing(done + 1, len(batches), seen, with_reuse, without, handle))
    progress(len(batches), len(batches), "done")
    shares = [right.shares(seen, len(loaded.classes)) for right in (with_reuse, without)]
    log(f"Model accuracy on {config.data} test dataset: {100 * shares[0]['top1']:.2f}%")
    log(f"Model accuracy on {config.data} test dataset without reuse: {100 * shares[1]['top1']:.2f}%")
    return {
        **config.model_dump(mode="json"),
        "images": seen,
        "image_size": loaded.image_size,
        "classes": len(loaded.classes),
        "with_reuse": shares[0],
        "without": shares[1],
        "alike": alike / seen,
        **similarity_rates(handle.report()),
        "machine": machine(),
    }


def _load(config: EvaluatedAccuracy, tell: Callable[[str], None]) -> tuple[ImageData, nn.Module]:
    if config.model not in zoo.names():
        raise ArgumentError(f"model was {config.model!r}, but must be one of {', '.join(zoo.names())}")
    root = None if config.data_root is None else Path(config.data_root)
    size = size_for(config.weights, config.model, config.image_size)
    loaded = data.load_images(config.data, root, size)
    network = weighted_network(config.model, config.weights, 0, loaded, root, tell, config.width)
    if config.weights in pretrained.names():
        split = normalised(loaded.test, config.data, config.weights)
        loaded = ImageData(
            loaded.name, loaded.classes, loaded.channels, loaded.image_size, loaded.train, split
        )
    return loaded, network


def _drawn(config: EvaluatedAccuracy, there: int) -> Tensor:
    if config.images is None:
        return torch.arange(there)
    if config.images > there:
        raise ArgumentError(
            f"images was {config.images}, but must be from 1 to the {there} test images of {config.data}"
        )
    generator = torch.Generator().manual_seed(config.seed)
    return torch.randperm(there, generator=generator)[: config.images]


@torch.no_grad()
def _outputs(
    network: nn.Module,
    handle: ReuseHandle,
    loaded: ImageData,
    batches: tuple[Tensor, ...],
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Outputs with reuse, outputs without, and labels, batch by batch."""
    for indices in batches:
        images, labels = loaded.test.batch(indices)
        reused = network(images.to(device)).cpu()
        with handle.off(), handle.uncounted():
            dense = network(images.to(device)).cpu()
        if dense.ndim != 2 or dense.shape[1] != len(loaded.classes):
            raise ArgumentError(
                f"data was {loaded.name!r} of {len(loaded.classes)} classes, but the network's outputs are "
                f"{' x '.join(map(str, dense.shape[1:]))}: take the data that the weights were trained on"
            )
        yield reused, dense, labels


def _standing(
    done: int, batches: int, seen: int, with_reuse: _Right, without: _Right, handle: ReuseHandle
) -> str:
    report = handle.report()
    hits, vectors = int(report["HIT"].sum()), int(report["vectors"].sum())
    return (
        f"Batch {done}/{batches}: accuracy {100 * with_reuse.first / seen:.2f}%, without reuse "
        f"{100 * without.first / seen:.2f}%, hits {hits} of {vectors} ({100 * hits / max(1, vectors):.2f}%)"
    )
