"""Which trained network is judged, and on which images?"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.studies.bench.settings import BenchSettings
from mercuric.studies.front.forms import BITS, ENDS, ERRORS, OUTPUT_ERRORS, RANKS, RATIOS, SHARES
from mercuric.subjects.config import DataConfig, ImageNetworkName, SubjectConfig
from mercuric.subjects.network import fetch_missing, load_network, open_network
from mercuric.subjects.subject import few, load_images
from mercuric.training.config import Positive
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import load_edge_maps

HED, MOBILENET = "vgg16-hed", "mobilenet-v2-imagenet"
CLASSES = 1000
_SHOWN = {HED: "HED on VGG16, trained weights", MOBILENET: "MobileNetV2, ImageNet weights"}
_IMAGES = {HED: 4, MOBILENET: 98}
_PRETRAINED_BATCH, _PRETRAINED_CALIBRATION = 2, 28
Share = Annotated[float, Field(gt=0, lt=1)]
_OWN_IMAGES, _OWN_BATCH, _OWN_CALIBRATION = 1000, 64, 512


class FrontBench(BenchSettings, DataConfig):
    """Which network is judged, on what, and how it is timed.

    Attributes:
        weights: a name of ``mercuric.zoo.pretrained``, or a training's checkpoint.
        network: the network that the weights are of; needed for a checkpoint.
        width: channels of the network, times this, as the checkpoint has them.
        images: test images that the outputs are judged on, those that stand for all: 4 for edge maps, 98 for
            ImageNet's classes, and for a checkpoint 1,000, or all there are.
        batch: training images that are timed, and that directions are estimated from; 2 for pretrained
            weights, else 64.
        step: time a training step (forward, backward, SGD's step) instead of inference.
        bits: of pure reuse.
        ranks: directions, as shares of a layer's filters.
        errors: relative output errors of a layer that set directions and guarantees.
        output_errors: errors of the network's output that set all layers' ranks.
        calibration: training images that these are fitted on; 28 for pretrained weights, else 512.
        paper: judge and time the paper's form, whose emulation is slow, as well.
        peers: judge and time what others do to trained networks as well.
        ends: layers at either end that int8 leaves in float32.
        ratios: shares of the channels that Torch-Pruning takes out.
        shares: of the multiplications that other low rank leaves.
        forms: groups that are judged beside dense; None: all.
    """

    weights: str = HED
    network: ImageNetworkName | None = None
    width: Annotated[float, Field(gt=0)] = 1.0
    images: Positive | None = None
    batch: Positive | None = None
    step: bool = False
    bits: tuple[int, ...] = BITS
    ranks: tuple[int | float, ...] = RANKS
    errors: tuple[float, ...] = ERRORS
    output_errors: tuple[float, ...] = OUTPUT_ERRORS
    calibration: Positive | None = None
    paper: bool = True
    peers: bool = True
    ends: tuple[Annotated[int, Field(strict=True, ge=0)], ...] = ENDS
    ratios: tuple[Share, ...] = RATIOS
    shares: tuple[Share, ...] = SHARES
    forms: tuple[str, ...] | None = None
    rounds: Positive = 3

    @property
    def own(self) -> bool:
        """Whether the weights are a checkpoint."""
        return self.weights not in pretrained.names()

    @property
    def judged(self) -> SubjectConfig:
        """The network with its weights, and its data.

        Raises:
            ValueError: a checkpoint's network is not named, or the weights do not fit network or images.
        """
        known = pretrained.PRETRAINED.get(self.weights)
        network = self.network or (known and known.network)
        if network is None:
            raise ArgumentError(
                f"network was None, but must be what weights are of: one of {', '.join(zoo.names())}"
            )
        return self.subject(model=network, weights=self.weights, width=self.width)


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
        name: of the network and its weights.
        shown: network, weights, data and what is timed, as titles name them.
    """

    network: nn.Module
    timed: Tensor
    fitted: list[Tensor]
    judged: list[Tensor]
    labels: Tensor | None
    classifies: bool
    name: str
    shown: str


def front_subject(config: FrontBench) -> FrontSubject:
    """Load network and images.

    Raises:
        ValueError: an unknown network, images that its weights don't fit, or too few of them.
        MercuricError: weights or data are missing or damaged.
    """
    subject = config.judged
    opened = open_network(subject)
    loaded = load_images(subject, opened)
    train, test, name = loaded.train, loaded.test, loaded.name
    batch = config.batch or (_OWN_BATCH if config.own else _PRETRAINED_BATCH)
    calibration = config.calibration or (_OWN_CALIBRATION if config.own else _PRETRAINED_CALIBRATION)
    images = config.images or _IMAGES.get(config.weights, min(_OWN_IMAGES, len(test)))
    timed = few(train, batch, name, "batch")
    fitted = few(train, min(calibration, len(train)), name, "calibration")
    judged = [test.batch(part) for part in torch.split(few(test, images, name), batch)]
    network = (
        load_network(subject, loaded, opened=opened)
        if config.own
        else _pretrained(subject, loaded.image_size)
    )
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    width = "" if config.width == 1 else f" at {config.width:g} of its width"
    named = _SHOWN.get(config.weights) or f"{config.network}{width}, weights {config.weights}"
    return FrontSubject(
        network,
        _placed(train.batch(timed)[0]),
        [_placed(train.batch(part)[0]) for part in torch.split(fitted, batch)],
        [_placed(inputs) for inputs, _ in judged],
        torch.cat([labels for _, labels in judged]) if config.own else None,
        config.weights != HED,
        named,
        f"{named}, {images:,} test images of {config.data} at {loaded.image_size} x {loaded.image_size}; "
        f"{'training step' if config.step else 'inference'} of a batch of {batch}",
    )


def _pretrained(subject: SubjectConfig, image_size: int) -> nn.Module:
    """HED, or MobileNetV2 with its classifier, which the zoo leaves to each data set."""
    fetch_missing(subject)
    if subject.weights == HED:
        return load_edge_maps(image_size, subject.root)
    network = zoo.build(subject.model, CLASSES, 3, image_size)
    pretrained.load_pretrained(MOBILENET, network, subject.model, image_size, subject.root)
    stored = torch.load(pretrained.location(MOBILENET, subject.root), map_location="cpu", weights_only=True)
    network.load_state_dict(stored)
    return network


def _placed(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
