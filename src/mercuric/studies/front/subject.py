"""Which trained network is judged, and on which images?"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import InMemorySplit, Split
from mercuric.errors import ArgumentError
from mercuric.studies.bench.settings import BenchSettings
from mercuric.studies.front.forms import BITS, ERRORS, OUTPUT_ERRORS, RANKS
from mercuric.subjects.weighted_network import size_for
from mercuric.training import load_weights
from mercuric.training.config import Positive
from mercuric.training.subset import first_of_shuffle
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import load_edge_maps

HED, MOBILENET = "vgg16-hed", "mobilenet-v2-imagenet"
CLASSES = 1000
_SHOWN = {HED: "HED on VGG16, trained weights", MOBILENET: "MobileNetV2, ImageNet weights"}
_IMAGES = {HED: 4, MOBILENET: 98}
_PRETRAINED_BATCH, _PRETRAINED_CALIBRATION = 2, 28
_OWN_IMAGES, _OWN_BATCH, _OWN_CALIBRATION = 1000, 64, 512


class FrontBench(BenchSettings):
    """Which network is judged, on what, and how it is timed.

    Attributes:
        weights: a name of ``mercuric.zoo.pretrained``, which must have been fetched, or a training's
            checkpoint.
        network: the network of the zoo that the weights are of; needed for a checkpoint.
        data: a data set of images.
        data_root: where its files, or the weights, lie.
        image_size: side of the images in pixels; 224 for pretrained weights, else the data set's own.
        images: test images that the outputs are judged on: the first ones, or of a folder some of each class
            (4 for edge maps, 98 for ImageNet's classes), or, for a checkpoint, those of a shuffle (1,000,
            or all there are).
        batch: training images that are timed, and that directions are estimated from; 2 for pretrained
            weights, else 64.
        step: time a training step (forward, backward, SGD's step) instead of inference.
        bits: of pure reuse.
        ranks: directions, as shares of a layer's filters.
        errors: relative output errors of a layer that set directions and guarantees.
        output_errors: errors of the network's output that set all layers' ranks.
        calibration: training images that these are fitted on; 28 for pretrained weights, else 512.
        paper: judge and time the paper's form, whose emulation is slow, as well.
    """

    weights: str = HED
    network: str | None = None
    data: str = "photos"
    data_root: str | None = None
    image_size: Positive | None = None
    images: Positive | None = None
    batch: Positive | None = None
    step: bool = False
    bits: tuple[int, ...] = BITS
    ranks: tuple[int | float, ...] = RANKS
    errors: tuple[float, ...] = ERRORS
    output_errors: tuple[float, ...] = OUTPUT_ERRORS
    calibration: Positive | None = None
    paper: bool = True
    rounds: Positive = 3

    @property
    def own(self) -> bool:
        """Whether the weights are a checkpoint."""
        return self.weights not in pretrained.names()


@dataclass(frozen=True)
class FrontSubject:
    """A dense network and its images, all channels_last.

    Attributes:
        network: with its weights, in evaluation mode.
        timed: the images that are timed, and that directions are estimated from.
        fitted: batches that ranks are fitted on.
        judged: batches that outputs are judged on.
        labels: (judged images,), int64; None where outputs are no classes of the data set.
        classifies: whether outputs are logits.
        shown: network, weights, data and what is timed, as titles name them.
    """

    network: nn.Module
    timed: Tensor
    fitted: list[Tensor]
    judged: list[Tensor]
    labels: Tensor | None
    classifies: bool
    shown: str


def front_subject(config: FrontBench) -> FrontSubject:
    """Load network and images.

    Raises:
        ValueError: an unknown network, images that its weights don't fit, or too few of them.
        MercuricError: weights or data are missing or damaged.
    """
    root = None if config.data_root is None else Path(config.data_root)
    loaded = _loaded(config, root)
    train, test = (_normalised(split, config.weights) for split in (loaded.train, loaded.test))
    batch = config.batch or (_OWN_BATCH if config.own else _PRETRAINED_BATCH)
    calibration = config.calibration or (_OWN_CALIBRATION if config.own else _PRETRAINED_CALIBRATION)
    images = config.images or _IMAGES.get(config.weights, min(_OWN_IMAGES, len(test)))
    timed = _chosen("batch", batch, train, config)
    fitted = _chosen("calibration", min(calibration, len(train)), train, config)
    judged = [test.batch(part) for part in torch.split(_chosen("images", images, test, config), batch)]
    network = _own(config, loaded) if config.own else _pretrained(config.weights, loaded.image_size, root)
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    named = _SHOWN.get(config.weights) or f"{config.network}, weights {config.weights}"
    return FrontSubject(
        network,
        _placed(train.batch(timed)[0]),
        [_placed(train.batch(part)[0]) for part in torch.split(fitted, batch)],
        [_placed(inputs) for inputs, _ in judged],
        torch.cat([labels for _, labels in judged]) if config.own else None,
        config.weights != HED,
        f"{named}, {images:,} test images of {config.data} at {loaded.image_size} x {loaded.image_size}; "
        f"{'training step' if config.step else 'inference'} of a batch of {batch}",
    )


def _loaded(config: FrontBench, root: Path | None) -> ImageData:
    if config.own and config.network not in zoo.names():
        known = ", ".join(zoo.names())
        raise ArgumentError(
            f"network was {config.network!r}, but must be what weights are of: one of {known}"
        )
    network = config.network or pretrained.PRETRAINED[config.weights].network
    return data.load_images(config.data, root, size_for(config.weights, network, config.image_size))


def _chosen(what: str, count: int, split: Split, config: FrontBench) -> Tensor:
    """Which images: a few that stand for all, or, for a checkpoint, the first of a shuffle."""
    there = len(split)
    if count > there:
        raise ArgumentError(
            f"{what} was {count}, but must be from 1 to the {there} there are of {config.data}"
        )
    if not config.own:
        return split.few(count)
    return first_of_shuffle(count, there)


def _own(config: FrontBench, loaded: ImageData) -> nn.Module:
    network = zoo.build(str(config.network), len(loaded.classes), loaded.channels, loaded.image_size)
    load_weights(Path(config.weights), network)
    return network


def _pretrained(weights: str, image_size: int, root: Path | None) -> nn.Module:
    return load_edge_maps(image_size, root) if weights == HED else _imagenet_classifier(image_size, root)


def _imagenet_classifier(image_size: int, root: Path | None) -> nn.Module:
    """MobileNetV2 with its classifier, which the zoo leaves to each data set."""
    network = zoo.build("mobilenet-v2", CLASSES, 3, image_size)
    pretrained.load_pretrained(MOBILENET, network, "mobilenet-v2", image_size, root)
    stored = torch.load(pretrained.location(MOBILENET, root), map_location="cpu", weights_only=True)
    network.load_state_dict(stored)
    return network


@dataclass(frozen=True)
class _Renormalised:
    """Images of a split that normalises as ImageNet's, under another normalisation."""

    split: Split
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.split)

    def few(self, count: int) -> Tensor:
        """See ``Split.few``."""
        return self.split.few(count)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``."""
        images, labels = self.split.batch(indices, generator)
        old, new = (
            [torch.tensor(values).view(-1, 1, 1) for values in (one.mean, one.deviation)]
            for one in (IMAGENET, self.normalisation)
        )
        return (images * old[1] + old[0] - new[0]) / new[1], labels


def _normalised(split: Split, weights: str) -> Split:
    """A checkpoint's images are those of its training."""
    if weights not in pretrained.names():
        return split
    wanted = pretrained.PRETRAINED[weights].normalisation
    if isinstance(split, InMemorySplit):
        return replace(split, normalisation=wanted)
    return _Renormalised(split, wanted)


def _placed(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
