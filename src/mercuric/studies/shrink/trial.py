"""How good is one narrower network, and what does it cost?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mercuric.accelerator import as_accelerator
from mercuric.data import ImageData
from mercuric.errors import Diverged
from mercuric.progress import Progress, silent
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.cost import dense_cost, macs_of, mercury_cost
from mercuric.studies.shrink.shrunk import Shrunk, save_shrunk
from mercuric.subjects.lesson import Lesson, load_lesson
from mercuric.subjects.network import without_values
from mercuric.training import TrainingRun
from mercuric.zoo.channels import Channels, find_channels, narrow_channels

MERCURY_IMAGES = 4
"""First test images that the cost with MERCURY is a mean of."""


@dataclass(frozen=True)
class Ground:
    """What all trials of a search share.

    Attributes:
        lesson: what every network learns.
        channels: of the network that is shrunk.
    """

    lesson: Lesson
    channels: Channels

    @property
    def images(self) -> ImageData:
        """The data set."""
        return self.lesson.image_data


@dataclass(frozen=True)
class TrialResult:
    """One network, trained and costed.

    Attributes:
        accuracy: on the test images, 0 to 1; None where the training diverged.
        parameters: of the network.
        macs: multiply-accumulates of one inference.
        energy: of one inference without reuse, in the unit of the accelerator's energies.
        latency: of the same, in clock cycles.
        mercury_energy: with MERCURY; None where that was not asked for, or the training diverged.
        mercury_latency: the same.
        seconds: of training.
        note: why there is no accuracy; empty where there is.
    """

    accuracy: float | None
    parameters: int
    macs: int
    energy: float
    latency: float
    mercury_energy: float | None = None
    mercury_latency: float | None = None
    seconds: float = 0.0
    note: str = ""


@lru_cache(maxsize=1)
def ground(config: ShrinkConfig) -> Ground:
    """Load the data and read the network's channels.

    Raises:
        MercuricError: data are missing or damaged.
        ValueError: the data can't be had as configured, there are fewer training examples than were
            asked for, or the network does not fit them or can't be narrowed.
    """
    lesson = load_lesson(config, config.training, config.train_examples)
    images = lesson.image_data
    with without_values(config.model):
        channels = find_channels(lesson.build(), images.channels, images.image_size)
    return Ground(lesson, channels)


def candidate(config: ShrinkConfig, factors: Mapping[str, float]) -> nn.Module:
    """The narrowed network, its weights drawn from torch's current generator."""
    shared = ground(config)
    return narrow_channels(shared.lesson.build(), shared.channels, shared.channels.counts(factors))


def priced(config: ShrinkConfig, factors: Mapping[str, float]) -> TrialResult:
    """What the narrowed network costs without reuse; it is neither trained nor given memory."""
    accelerator, shared = as_accelerator(config.accelerator), ground(config)
    with without_values(config.model):
        network = candidate(config, factors)
        image = torch.empty(1, shared.images.channels, *[shared.images.image_size] * 2)
    cost = dense_cost(network, image, accelerator)
    parameters = sum(weight.numel() for weight in network.parameters())
    return TrialResult(None, parameters, macs_of(network, image), cost.energy, cost.latency)


def name_of(counts: tuple[int, ...]) -> str:
    """What the network with so many channels in each set is called in the run's folder."""
    return sha256(",".join(map(str, counts)).encode()).hexdigest()[:12]


def run_trial(
    config: ShrinkConfig, factors: Mapping[str, float], folder: Path, progress: Progress = silent
) -> TrialResult:
    """Train the narrowed network and measure it; a trial that was stopped goes on.

    Args:
        config: the search's.
        factors: of each stage.
        folder: gets the training's files, and the network as ``network.safetensors``.
        progress: told after each step.

    Returns:
        With a note instead of an accuracy, where the loss diverged.

    Raises:
        MercuricError: a checkpoint is broken.
        OSError: the folder can't be written.
    """
    shared, result = ground(config), priced(config, factors)
    torch.manual_seed(config.seed)
    network = candidate(config, factors)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    training = TrainingRun(
        name="dense", seed=config.seed, model=network, task=shared.lesson.task, config=config.training,
        folder=folder, progress=progress,
    )  # fmt: skip
    try:
        figures = training.fit(resume=True)
    except Diverged as error:
        return replace(result, note=str(error))
    images = shared.images
    described = Shrunk(
        config.model, len(images.classes), images.channels, images.image_size, config.width, dict(factors),
        dict(config.model_args),
    )  # fmt: skip
    save_shrunk(folder / "network.safetensors", network, described)
    return replace(
        result,
        accuracy=figures["test_accuracy"],
        seconds=figures["seconds"],
        **_with_mercury(config, network),
    )


def _with_mercury(config: ShrinkConfig, network: nn.Module) -> dict[str, Any]:
    if not config.mercury:
        return {}
    test = ground(config).images.test
    images, _ = test.batch(test.few(min(MERCURY_IMAGES, len(test))))
    cost = mercury_cost(network.cpu(), images, as_accelerator(config.accelerator))
    return {"mercury_energy": cost.energy, "mercury_latency": cost.latency}
