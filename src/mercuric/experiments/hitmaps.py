"""Which network's Hitmaps are counted or saved, on which images?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.accelerator import Accelerator, Simulation, preset, with_cache
from mercuric.accelerator.hitmap_about import HitmapAbout
from mercuric.accelerator.hitmap_folder import HitmapFolderWriter
from mercuric.accelerator.hitmap_store import HitmapWriter
from mercuric.accelerator.network_calls import Listen, network_calls, simulated_config
from mercuric.accelerator.saved_hitmaps import open_hitmaps
from mercuric.accelerator.similarity_tally import SimilarityTally
from mercuric.accelerator.simulation import simulate_batches, simulate_saved
from mercuric.config import Config
from mercuric.data import ImageData, Split
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import InMemorySplit
from mercuric.experiments.similarity_network import RANDOM
from mercuric.reuse import ReuseConfig
from mercuric.training import load_weights
from mercuric.zoo import pretrained

PIXELS_OF_A_BATCH = 16 * 64 * 64
Tell = Callable[[int, int], None]
"""Called with the images that have run, and all of them."""


class NetworkConfig(Config):
    """A network of the zoo, its weights, and the images that it reads.

    Attributes:
        model: a network of the zoo.
        data: a data set of images; the first images of its training part are taken.
        data_root: where its files and the pretrained weights lie.
        images: how many.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
        batch: images that run at once; fully connected layers compare these. By default as many as
            hold the pixels of 16 images of 64 x 64, at least one.
        weights: ``"random"``, a name of ``mercuric.zoo.pretrained``, or a training run's checkpoint.
        seed: what random weights are drawn from.
    """

    model: str
    data: str = "photos"
    data_root: str | None = None
    images: int = 16
    image_size: int | None = None
    batch: int | None = Field(default=None, strict=True)
    weights: str = RANDOM
    seed: int = 0


@dataclass(frozen=True)
class Subject:
    """A network with its weights, and its images batch by batch.

    Attributes:
        network: in no particular mode.
        batches: makes the batches anew; calls back as they run.
        described: what reports and saved files say of it.
    """

    network: nn.Module
    batches: Callable[[Tell], Iterator[Tensor]]
    described: dict[str, Any]


def load_network(config: NetworkConfig) -> Subject:
    """Load images and weights.

    Raises:
        ValueError: an unknown name, or a number that is out of range.
        MercuricError: files are missing or damaged, or the checkpoint is of another network.
    """
    root = None if config.data_root is None else Path(config.data_root)
    known = config.weights in pretrained.names()
    size = 224 if known and config.image_size is None else config.image_size
    if known:
        pretrained.check_fit(config.weights, config.model, size or 0)
    loaded = data.load_images(config.data, root, size)
    batch = _checked(config, loaded)
    torch.manual_seed(config.seed)
    network = zoo.build(config.model, len(loaded.classes), loaded.channels, loaded.image_size)
    split = loaded.train
    if known:
        pretrained.load_pretrained(config.weights, network, config.model, loaded.image_size, root)
        split = _normalised(split, config, pretrained.PRETRAINED[config.weights].normalisation)
    elif config.weights != RANDOM:
        load_weights(Path(config.weights), network)
    described = {
        "model": config.model,
        "form": zoo.form(loaded.image_size),
        "data": config.data,
        "images": config.images,
        "image_size": loaded.image_size,
        "batch": batch,
        "weights": f"random, seed {config.seed}" if config.weights == RANDOM else config.weights,
    }
    return Subject(network, lambda tell: _batches(split, config.images, batch, tell), described)


def _checked(config: NetworkConfig, loaded: ImageData) -> int:
    """Images of a batch; refuses numbers that are out of range."""
    there = len(loaded.train)
    if not 1 <= config.images <= there:
        raise ValueError(f"images was {config.images}, but must be from 1 to the {there} of {config.data}")
    if not 0 <= config.seed < 2**32:
        raise ValueError(f"seed was {config.seed}, but must be from 0 to {2**32 - 1}")
    if config.batch is not None and config.batch < 1:
        raise ValueError(f"batch was {config.batch}, but must be at least 1")
    chosen = config.batch or max(1, PIXELS_OF_A_BATCH // loaded.image_size**2)
    return min(chosen, config.images)


def _normalised(split: Split, config: NetworkConfig, normalisation: Normalisation) -> Split:
    if isinstance(split, InMemorySplit):
        return replace(split, normalisation=normalisation)
    if normalisation != IMAGENET:
        raise ValueError(
            f"data was {config.data!r}, whose images are normalised as ImageNet's, but weights "
            f"{config.weights} need another normalisation; take photos"
        )
    return split


def _batches(split: Split, images: int, batch: int, tell: Tell) -> Iterator[Tensor]:
    for first in range(0, images, batch):
        tell(first, images)
        yield split.batch(torch.arange(first, min(first + batch, images)))[0]
    tell(images, images)


def simulate_network(
    subject: Subject,
    accelerator: Accelerator,
    reuse: ReuseConfig | None = None,
    training: bool = True,
    save: Path | None = None,
    listeners: Sequence[Listen] = (),
    tell: Tell = lambda *_: None,
) -> Simulation:
    """Count the cycles of all images, batch after batch.

    Args:
        subject: what runs.
        accelerator: what is simulated; the MCACHE is the configuration's.
        reuse: how similarity is found; :meth:`ReuseConfig.paper` by default.
        training: count both backward products as well.
        save: a Parquet file for the Hitmaps.
        listeners: each called with every layer's call.
        tell: of the progress.

    Raises:
        ValueError: as ``mercuric.accelerator.simulate_batches``.
        OSError: ``save`` can't be written.
    """
    batches = subject.batches(tell)
    if save is None:
        return simulate_batches(subject.network, batches, accelerator, reuse, training, listeners)
    with HitmapWriter(save, HitmapAbout(subject.described, simulated_config(reuse))) as writer:
        every = (writer.add, *listeners)
        result = simulate_batches(subject.network, batches, accelerator, reuse, training, every)
        writer.finish(result.layers)
    return result


def simulate_hitmaps(
    path: Path,
    accelerator: Accelerator,
    training: bool = True,
    model: str | None = None,
    reuse: ReuseConfig | None = None,
    listeners: Sequence[Listen] = (),
) -> tuple[Simulation, dict[str, Any]]:
    """Count the cycles of saved Hitmaps, and say where they come from.

    Args:
        path: a Parquet file, or a folder of CSV files.
        accelerator: what is simulated; the MCACHE is that of the Hitmaps.
        training: count both backward products as well.
        model: where given, the network that they must be of.
        reuse: where given, the configuration that they must have been found with.
        listeners: each called with every layer's call.

    Raises:
        ValueError: the accelerator asks for more than was saved.
        MercuricError: a file is missing, damaged or something else, or of another network.
    """
    about = open_hitmaps(path, accelerator).about
    config = None if reuse is None else simulated_config(reuse)
    about.require(path, config, None if model is None else {"model": model})
    return simulate_saved(path, accelerator, training, listeners), {**about.run, "hitmaps": str(path)}


def write_hitmap_folder(
    subject: Subject, folder: Path, reuse: ReuseConfig | None = None, tell: Tell = lambda *_: None
) -> int:
    """Write every layer's Hitmap as a CSV file; returns how many there are.

    Raises:
        MercuricError: the folder holds Hitmaps already.
        OSError: it can't be written.
    """
    config, tally = simulated_config(reuse), SimilarityTally()
    accelerator = with_cache(preset("eyeriss-168"), config)
    with HitmapFolderWriter(folder, HitmapAbout(subject.described, config)) as writer:
        run = network_calls(
            subject.network, subject.batches(tell), accelerator, config, tally.add, writer.add
        )
        layers = tally.layers(run.order, run.errors)
        writer.finish(layers)
    return int(layers["on"].sum())
