"""How much faster is a whole training step with ``Directions.fast()``, and what does that need?"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Directions, ReuseHandle, fit_directions_, reuse_
from mercuric.reuse.directions.config import FAST_ERROR
from mercuric.studies.bench.interleaved import Function, Spread
from mercuric.studies.bench.layer_choice import Choice, keep_faster, layer_rows
from mercuric.studies.bench.layer_times import COMPILED, DENSE, timed_row
from mercuric.studies.bench.peak_memory import peak_memory
from mercuric.studies.bench.settings import BenchSettings
from mercuric.subjects.config import DataConfig, ImageNetworkName
from mercuric.subjects.network import open_network
from mercuric.subjects.providers.provider import Purpose
from mercuric.subjects.subject import few, load_images
from mercuric.training.classification import classification_loss, scores_of

NETWORKS = ("vgg16", "resnet34", "resnet50")
LARGE = 64
"""Pixels a side above which networks have their form for ImageNet."""
RUN = 1000
"""Steps of the training that the cost of choosing is held against."""
REUSE = "fast"
MEMORY_STEPS = 3
MEMORY_RUNS = 3
"""Processes of each form."""


class TrainBench(BenchSettings, DataConfig):
    """What is trained, and how it is measured.

    Attributes:
        networks: with random weights, or those that they have of their own.
        image_size: side of the images in pixels.
        batch: images a step; 4 above 64 pixels, else 64.
        rank: directions a layer, as in :class:`~mercuric.Directions`.
        noise: white noise in place of the images.
        forward: time inference instead of the training step.
        memory: measure peak memory as well, each form in processes of its own.
    """

    networks: tuple[ImageNetworkName, ...] = NETWORKS
    image_size: Annotated[int, Field(strict=True, ge=1)] = 224
    batch: Annotated[int, Field(strict=True, ge=1)] | None = None
    rank: Annotated[int, Field(strict=True, ge=1)] | Annotated[float, Field(gt=0, lt=1)] | None = 0.25
    noise: bool = False
    forward: bool = False
    memory: bool = True
    rounds: Annotated[int, Field(strict=True, ge=1)] = 3

    @property
    def images(self) -> int:
        """Images a step."""
        return self.batch or (4 if self.image_size > LARGE else 64)


@dataclass(frozen=True)
class Trainer:
    """A network that is trained on one batch again and again.

    Attributes:
        model: channels_last, in training mode.
        images: (N, C, H, W), channels_last.
        labels: (N,) int64.
        settings: precision.
        called: the model, or its compiled form.
    """

    model: nn.Module
    images: Tensor
    labels: Tensor
    settings: BenchSettings
    called: Callable[[Tensor], Any]

    def step(self) -> float:
        """Forward, loss, backward and SGD's step; returns the loss."""
        self.model.train()
        # Small, so that a batch that is trained on again and again does not diverge.
        optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4)
        optimizer.zero_grad(set_to_none=True)
        with self.settings.autocast():
            output = self.called(self.images)
            loss = classification_loss(output, self.labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.detach())

    def forward(self) -> Tensor:
        """Inference."""
        self.model.eval()
        with torch.no_grad(), self.settings.autocast():
            return scores_of(self.called(self.images))


def bench_train(config: TrainBench, progress: Progress = silent) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Time dense training and ``fast()`` in turn, network by network.

    Returns:
        A row a network: milliseconds and speed-up with quartiles, ``layers`` and ``kept``, the seconds of
        choosing and its share of a training of :data:`RUN` steps, peak memory in MiB; and a row a network
        and layer.

    Raises:
        ValueError: an unknown network, or a number that is out of range.
        MercuricError: data are missing, or a process was killed.
    """
    if not config.networks:
        raise ArgumentError("networks was empty, but must name at least one")
    fast_config(config)
    images, labels, classes = _batch(config)
    found = []
    for place, name in enumerate(config.networks):
        progress(place, len(config.networks), name)
        found.append(_network(name, config, images, labels, classes))
    progress(len(config.networks), len(config.networks))
    layers = [{"network": row["network"], **layer} for row, rows in found for layer in rows]
    return pd.DataFrame([row for row, _ in found]), pd.DataFrame(layers)


def fast_config(config: TrainBench, error: float | None = FAST_ERROR) -> Directions:
    """``fast()``, whose layers are chosen by :func:`~mercuric.studies.bench.layer_choice.keep_faster`."""
    return Directions(rank=config.rank, error=error)


def make_trainer(
    model: nn.Module, images: Tensor, labels: Tensor, settings: BenchSettings, compiled: bool = False
) -> Trainer:
    """The strongest dense form: channels_last throughout."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    placed = images.contiguous(memory_format=torch.channels_last)
    return Trainer(model, placed, labels, settings, torch.compile(model) if compiled else model)


def _network(
    name: str, config: TrainBench, images: Tensor, labels: Tensor, classes: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    torch.manual_seed(config.seed)
    model = _built(name, config, classes, images.shape)
    dense = make_trainer(copy.deepcopy(model), images, labels, config)
    fast = make_trainer(model, images, labels, config)
    handle = reuse_(fast.model, fast_config(config))
    fresh = make_trainer(copy.deepcopy(fast.model), images, labels, config)
    fast.step()
    choice = keep_faster(fast.model, handle, fast.step, config.now)
    trainers = {DENSE: dense, REUSE: fast}
    if config.compiled:
        trainers[COMPILED] = make_trainer(copy.deepcopy(dense.model), images, labels, config, compiled=True)
    steps: dict[str, Function] = {
        form: trainer.forward if config.forward else trainer.step for form, trainer in trainers.items()
    }
    timings = config.time(steps, warm_ups=1)
    estimating = _seconds(fresh.step, config)
    rows = layer_rows(handle, choice)
    kept = [row["layer"] for row in rows if row["kept"] == "reuse"]
    row = {
        "network": name,
        **timed_row(timings, REUSE),
        "layers": len(rows),
        "kept": len(kept),
        **_overheads(choice, estimating, timings.milliseconds(REUSE).median / 1000, config),
        **_memory(name, config, classes, images, kept),
    }
    return row, rows


def _overheads(choice: Choice, first: float, step: float, config: TrainBench) -> dict[str, float]:
    """Measuring and estimating directions happen once in a run of 1,000 steps."""
    if config.forward:
        return {"choosing_s": choice.seconds, "choosing_share": nan, "estimating_share": nan}
    whole = RUN * step
    return {
        "choosing_s": choice.seconds,
        "choosing_share": choice.seconds / whole,
        "estimating_share": max(0.0, first - step) / whole,
    }


def _memory(
    name: str, config: TrainBench, classes: int, images: Tensor, kept: Sequence[str]
) -> dict[str, float]:
    if not config.memory:
        return {}
    shape = tuple(images.shape)
    own: dict[str, list[float]] = {DENSE: [], REUSE: []}
    for _ in range(MEMORY_RUNS):
        for form, layers in ((DENSE, None), (REUSE, kept)):
            own[form].append(peak_memory(_prepared, name, config, classes, shape, layers))
    ratio = Spread.of([fast / dense for dense, fast in zip(own[DENSE], own[REUSE], strict=True)])
    return {
        **{f"{form}_mib": median(values) for form, values in own.items()},
        "memory_ratio": ratio.median, "memory_q1": ratio.q1, "memory_q3": ratio.q3,
    }  # fmt: skip


def _prepared(
    name: str, config: TrainBench, classes: int, shape: tuple[int, ...], kept: Sequence[str] | None
) -> Callable[[], object]:
    """What a process of its own measures: some steps on noise, which needs the memory that images need."""
    torch.manual_seed(config.seed)
    model = _built(name, config, classes, shape)
    trainer = make_trainer(model, torch.randn(shape), torch.arange(shape[0]) % classes, config)
    if kept is not None:
        # Noise must not ask for more directions than the images did.
        handle: ReuseHandle = reuse_(trainer.model, fast_config(config, error=None))
        for layer in set(handle.layers) - set(kept):
            handle.switch_off(layer)
        if config.forward:
            fit_directions_(trainer.model, handle, [trainer.images])
    run = trainer.forward if config.forward else trainer.step
    return lambda: [run() for _ in range(MEMORY_STEPS)]


def _batch(config: TrainBench) -> tuple[Tensor, Tensor, int]:
    first = config.networks[0]
    loaded = load_images(config.subject(model=first, model_args=config.args_of(first, config.networks)))
    images, labels = loaded.train.batch(few(loaded.train, config.images, loaded.name, "batch"))
    if config.noise:
        images = torch.randn(images.shape, generator=torch.Generator().manual_seed(config.seed))
    return images, labels, len(loaded.classes)


def _built(name: str, config: TrainBench, classes: int, shape: Sequence[int]) -> nn.Module:
    opened = open_network(config.subject(model=name, model_args=config.args_of(name, config.networks)))
    return opened.build(Purpose(classes, shape[1], shape[2]))


def _seconds(function: Callable[[], object], config: TrainBench) -> float:
    started = config.now()
    function()
    return config.now() - started
