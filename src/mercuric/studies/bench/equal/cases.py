"""On which pairs of a network and data is exact reuse timed, and what do the networks read?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data import ImageData
from mercuric.errors import ArgumentError
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.subjects.providers.provider import Purpose
from mercuric.subjects.providers.registry import provider_of
from mercuric.zoo.dqn import ATARI_SIDE

ACTIONS = 18
"""Outputs of a network that plays: all that an Atari's joystick can do."""
BATCH = 4


@dataclass(frozen=True)
class Case:
    """A network and its data.

    Attributes:
        network: of :func:`~mercuric.studies.bench.equal.config.networks`.
        data: a data set's name.
        image_size: side of its images in pixels; None: its own.
        batch_size: images a step.
        one_class: whether all images of a batch are of one class, as a player's states are of one game.
    """

    network: str
    data: str
    image_size: int | None = None
    batch_size: int = BATCH
    one_class: bool = False


@dataclass(frozen=True)
class Inputs:
    """What a network is built for.

    Attributes:
        classes: of the images.
        channels: of each.
        image_size: side in pixels.
    """

    classes: int
    channels: int
    image_size: int

    @classmethod
    def of(cls, loaded: ImageData) -> "Inputs":
        """Those of a data set."""
        return cls(len(loaded.classes), loaded.channels, loaded.image_size)


CASES = (
    Case("restoration", "icons", 224, 2),
    Case("restoration", "clip-art", 224, 2),
    Case("restoration", "text-pages", 512, 1),
    Case("restoration", "pages", 512, 1),
    Case("restoration", "screens", 512, 1),
    Case("resnet18", "pages-150", 1024, 4),
    Case("vgg16", "screens", 512, 1),
    Case("unet", "screens", 512, 1),
    Case("dqn", "atari", None, 128, one_class=True),
    Case("impala", "atari", None, 256, one_class=True),
    Case("resnet18", "photos", 224, 4),
)
"""What is timed where nobody says what; nothing is equal in photographs."""


def chosen_cases(config: EqualBench) -> list[Case]:
    """What a configuration asks for.

    Raises:
        ValueError: data without a network that the table has for them.
    """
    if config.data is None:
        found = [case for case in CASES if not config.networks or case.network in config.networks]
        known = {case.network for case in found}
        found += [Case(name, "photos") for name in dict.fromkeys(config.networks) if name not in known]
    elif not config.networks:
        found = [case for case in CASES if case.data == config.data]
        if not found:
            raise ArgumentError(f"networks was empty, but must name what reads {config.data}")
    else:
        found = [_with_data(name, config.data) for name in dict.fromkeys(config.networks)]
    sized = (
        replace(
            case,
            image_size=config.image_size or case.image_size,
            batch_size=config.batch_size or case.batch_size,
        )
        for case in found
    )
    return list(dict.fromkeys(sized))


def missing(case: Case, root: str | None) -> str | None:
    """How to get the data of a case, where they are not there."""
    [described] = [each for each in data.describe(root) if each.name == case.data]
    return None if described.present else described.how


def load(case: Case, root: str | None) -> ImageData:
    """The images of a case.

    Raises:
        ValueError: a size that the data set, or the network, has not.
        MercuricError: files are missing or damaged.
    """
    loaded = data.load_images(case.data, None if root is None else Path(root), case.image_size)
    side = loaded.image_size
    if case.network in zoo.GAME_NETWORKS and side != ATARI_SIDE:
        raise ArgumentError(
            f"image_size was {side}, but {case.network} reads images of {ATARI_SIDE} pixels a side"
        )
    return loaded


def build(case: Case, inputs: Inputs, config: EqualBench) -> nn.Module:
    """The network of a case, with fresh weights."""
    torch.manual_seed(config.seed)
    if case.network in zoo.IMAGE_NETWORKS:
        return zoo.build_image_network(case.network, inputs.channels, config.width)
    if case.network in zoo.GAME_NETWORKS:
        return zoo.build_game_network(case.network, ACTIONS, inputs.channels, config.width)
    opened = provider_of(case.network).open(case.network, config.model_args)
    return opened.build(Purpose(inputs.classes, inputs.channels, inputs.image_size, width=config.width))


def drawn_batches(case: Case, labels: Tensor, count: int, seed: int) -> list[Tensor]:
    """Which images batches hold: (batch size,) int64 each, no image twice, at most ``count`` batches.

    Args:
        case: says how many images a batch has, and whether they are of one class.
        labels: (N,): classes of the images that there are.
        count: of batches.
        seed: they are drawn by.

    Raises:
        ValueError: there are too few images for one batch.
    """
    generator = torch.Generator().manual_seed(seed)
    pool = torch.randperm(len(labels), generator=generator)
    groups = (
        [pool[labels[pool] == label] for label in sorted(set(labels.tolist()))] if case.one_class else [pool]
    )
    found = list(_in_turn([_whole(group, case.batch_size) for group in groups]))
    if not found:
        most = max(map(len, groups), default=0)
        raise ArgumentError(
            f"batch_size was {case.batch_size}, but {case.data} has at most {most} images for one"
        )
    return found[:count]


def _with_data(network: str, name: str) -> Case:
    known = [case for case in CASES if (case.network, case.data) == (network, name)]
    return known[0] if known else Case(network, name)


def _whole(places: Tensor, size: int) -> list[Tensor]:
    return [part for part in torch.split(places, size) if len(part) == size]


def _in_turn(groups: Sequence[Sequence[Tensor]]) -> Iterator[Tensor]:
    for turn in range(max(map(len, groups), default=0)):
        yield from (group[turn] for group in groups if turn < len(group))
