"""How often is a trained network right with reuse, and how often without?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric.data import ImageData
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike, ReuseHandle, reuse_, similarity_rates
from mercuric.reuse.alike.config import ReadAlike
from mercuric.studies.machine import machine
from mercuric.subjects.config import ImageNetworkName, SubjectConfig
from mercuric.subjects.network import require_classes
from mercuric.subjects.subject import load_subject
from mercuric.training.classification import scores_of
from mercuric.training.config import Positive

TOP = 5
Log = Callable[[str], None]
"""Called with each line of the log."""


class EvaluatedAccuracy(SubjectConfig):
    """A network, its weights, and the test images that it is judged on.

    Attributes:
        images: how many test images, drawn by the seed; all by default.
        batch: images that run at once; fully connected layers compare these.
        seed: what the images are drawn by, and weights that nobody trained.
        reuse: how similarity is found.
    """

    model: ImageNetworkName
    weights: str
    images: Positive | None = None
    batch: Positive = 8
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
    progress: Progress = silent,
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
    subject = load_subject(config, tell=tell)
    loaded, network = subject.image_data, subject.network
    require_classes(loaded, "accuracy is judged")
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
        reused = scores_of(network(images.to(device))).cpu()
        with handle.off(), handle.uncounted():
            dense = scores_of(network(images.to(device))).cpu()
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
