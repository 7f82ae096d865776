"""How much error buys how much time? Every form of a trained network, judged and timed."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor, nn

from mercuric import data, zoo
from mercuric.data.normalisation import IMAGENET, Normalisation
from mercuric.data.split import InMemorySplit, Split
from mercuric.experiments.bench_settings import BenchSettings
from mercuric.experiments.front_forms import (
    BITS,
    ERRORS,
    OUTPUT_ERRORS,
    PAPER,
    RANKS,
    FrontForm,
    front_forms,
)
from mercuric.experiments.interleaved import Function, Timings
from mercuric.experiments.layer_choice import keep_faster
from mercuric.experiments.layer_inputs import first_images
from mercuric.experiments.layer_times import DENSE, timed_row
from mercuric.reuse import ReuseHandle, fit_ranks_, reuse_
from mercuric.reuse.layer_report import layers_in_directions, similarity_rates
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import load_edge_maps

Tell = Callable[[int, int, str], None]
Weights = Literal["vgg16-hed", "mobilenet-v2-imagenet"]
SUBJECTS: dict[str, str] = {
    "vgg16-hed": "HED on VGG16, trained weights",
    "mobilenet-v2-imagenet": "MobileNetV2, ImageNet weights",
}
CLASSES = 1000


class FrontBench(BenchSettings):
    """Which network is judged, on what, and how it is timed.

    Attributes:
        weights: a name of ``mercuric.zoo.pretrained``, which must have been fetched.
        data: a data set of images.
        data_root: where its files, or the weights, lie.
        image_size: side of the images in pixels, above 64.
        images: test images that the outputs are judged on.
        batch: images that are timed, and that directions are estimated from; of the training images.
        step: time a training step (forward, backward, SGD's step) instead of inference.
        bits: of pure reuse.
        ranks: directions, as shares of a layer's filters.
        errors: relative output errors of a layer that set directions and guarantees.
        output_errors: errors of the network's output that set all layers' ranks.
        calibration: training images that these are fitted on.
        paper: judge and time the paper's form, whose emulation is slow, as well.
    """

    weights: Weights = "vgg16-hed"
    data: str = "photos"
    data_root: str | None = None
    image_size: Annotated[int, Field(strict=True, gt=64)] = 224
    images: Annotated[int, Field(strict=True, ge=1)] = 4
    batch: Annotated[int, Field(strict=True, ge=1)] = 2
    step: bool = False
    bits: tuple[int, ...] = BITS
    ranks: tuple[int | float, ...] = RANKS
    errors: tuple[float, ...] = ERRORS
    output_errors: tuple[float, ...] = OUTPUT_ERRORS
    calibration: Annotated[int, Field(strict=True, ge=1)] = 28
    paper: bool = True
    rounds: Annotated[int, Field(strict=True, ge=1)] = 3


@dataclass(frozen=True)
class _Judge:
    """Dense outputs, and how far others are from them.

    Attributes:
        batches: images.
        dense: what the dense network says of each batch.
        classifies: whether outputs are logits.
    """

    batches: list[Tensor]
    dense: list[Tensor]
    classifies: bool

    def quality(self, outputs: list[Tensor]) -> dict[str, float]:
        """``error``: mean absolute difference over the mean absolute output; ``difference``: not relative.

        ``agreement``: share of images with dense's first class, where outputs are logits.
        """
        ours, dense = torch.cat(outputs).float(), torch.cat(self.dense).float()
        difference, scale = float((ours - dense).abs().mean()), float(dense.abs().mean())
        agreement = float((ours.argmax(1) == dense.argmax(1)).float().mean()) if self.classifies else nan
        return {"error": difference / scale, "difference": difference, "agreement": agreement}


def bench_front(config: FrontBench, tell: Tell = lambda *_: None) -> pd.DataFrame:
    """Judge every form of the network on test images, then time them in turn.

    Returns:
        A row a form: ``group``, ``setting``, ``form``, ``error``, ``difference``, ``agreement``, ``hits``,
        ``layers``, ``kept``, and milliseconds and speed-up with quartiles.

    Raises:
        ValueError: a number is out of range, or there are too few images.
        MercuricError: weights or data are missing or damaged.
    """
    forms = front_forms(config.bits, config.ranks, config.errors, config.output_errors, config.paper)
    network, timed, fitted, judged = _subject(config)
    networks: dict[str, nn.Module] = {}
    rows: list[dict[str, Any]] = []
    judge: _Judge | None = None
    for place, form in enumerate(forms):
        tell(place, len(forms) + 1, form.name)
        model = copy.deepcopy(network)
        handle = _with_form(model, form, timed, fitted, config)
        outputs = _outputs(model, judged, config)
        judge = judge or _Judge(judged, outputs, config.weights == "mobilenet-v2-imagenet")
        networks[form.name] = model
        rows.append(
            {
                "group": form.group, "setting": form.setting, "form": form.name,
                **judge.quality(outputs), **_facts(handle),
            }
        )  # fmt: skip
    tell(len(forms), len(forms) + 1, "timing")
    timings = _timings(networks, timed, config)
    tell(len(forms) + 1, len(forms) + 1, "")
    return pd.DataFrame([{**row, **timed_row(timings[row["form"]], row["form"])} for row in rows])


def described(config: FrontBench) -> str:
    """Network, weights, data and what is timed, as titles name them."""
    what = "training step" if config.step else "inference"
    return (
        f"{SUBJECTS[config.weights]}, {config.images} test images of {config.data} at "
        f"{config.image_size} x {config.image_size}; {what} of a batch of {config.batch}"
    )


def _subject(config: FrontBench) -> tuple[nn.Module, Tensor, list[Tensor], list[Tensor]]:
    """The dense network, the batch that is timed, those that ranks are fitted on and outputs judged on."""
    root = None if config.data_root is None else Path(config.data_root)
    loaded = data.load_images(config.data, root, config.image_size)
    there = len(loaded.test)
    if config.images > there:
        raise ValueError(
            f"images was {config.images}, but must be at most the {there} test images of {config.data}"
        )
    wanted = pretrained.PRETRAINED[config.weights].normalisation
    train = replace(loaded, train=_normalised(loaded.train, wanted))
    timed, _ = first_images(train, config.batch)
    fitted, _ = first_images(train, min(config.calibration, len(train.train)))
    test = _normalised(loaded.test, wanted)
    batches = [test.batch(part)[0] for part in torch.split(torch.arange(config.images), config.batch)]
    network: nn.Module
    if config.weights == "vgg16-hed":
        network = load_edge_maps(config.image_size, root)
    else:
        network = _imagenet_classifier(config.image_size, root)
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    placed = [_placed(batch) for batch in torch.split(fitted, config.batch)]
    return network, _placed(timed), placed, [_placed(batch) for batch in batches]


def _imagenet_classifier(image_size: int, root: Path | None) -> nn.Module:
    """MobileNetV2 with its classifier, which the zoo leaves to each data set."""
    network = zoo.build("mobilenet-v2", CLASSES, 3, image_size)
    name = "mobilenet-v2-imagenet"
    pretrained.load_pretrained(name, network, "mobilenet-v2", image_size, root)
    stored = torch.load(pretrained.location(name, root), map_location="cpu", weights_only=True)
    network.load_state_dict(stored)
    return network


@dataclass(frozen=True)
class _Renormalised:
    """Images of a split that normalises as ImageNet's, under another normalisation."""

    split: Split
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See ``Split.batch``."""
        images, labels = self.split.batch(indices, generator)
        old, new = (
            [torch.tensor(values).view(-1, 1, 1) for values in (one.mean, one.deviation)]
            for one in (IMAGENET, self.normalisation)
        )
        return (images * old[1] + old[0] - new[0]) / new[1], labels


def _normalised(split: Split, wanted: Normalisation) -> Split:
    if isinstance(split, InMemorySplit):
        return replace(split, normalisation=wanted)
    return _Renormalised(split, wanted)


def _with_form(
    model: nn.Module, form: FrontForm, batch: Tensor, fitted: list[Tensor], config: FrontBench
) -> ReuseHandle | None:
    """Turn the form on, and let layers learn their directions from ``batch``, or the network's from all."""
    if form.config is None:
        return None
    handle = reuse_(model, form.config, lambda _, name: not name.startswith(("sides.", "fuse")))
    if form.group != PAPER and form.config.principal is None:
        handle.switch_off_losing(products=3 if config.step else 1)
    if form.output_error is not None:
        fit_ranks_(model, handle, fitted, form.output_error)
    _outputs(model, [batch], config)
    if form.chosen:
        _choose(model, handle, batch, config)
    handle.reset()
    return handle


def _choose(model: nn.Module, handle: ReuseHandle, batch: Tensor, config: FrontBench) -> None:
    if not config.step:
        model.requires_grad_(False)

    def run() -> None:
        with config.autocast():
            output = model(batch)
        if config.step:
            output.float().square().mean().backward()

    keep_faster(model, handle, run, config.now)
    model.requires_grad_(True)
    model.zero_grad(set_to_none=True)


def _outputs(model: nn.Module, batches: list[Tensor], config: FrontBench) -> list[Tensor]:
    with torch.no_grad(), config.autocast():
        return [model(batch) for batch in batches]


def _facts(handle: ReuseHandle | None) -> dict[str, float]:
    if handle is None:
        return {"hits": nan, "layers": nan, "kept": nan}
    report = handle.report()
    hits = similarity_rates(report)["hit_rate"] if report["vectors"].sum() else nan
    kept = layers_in_directions(report) if "computes" in report else int(report["on"].sum())
    return {"hits": hits, "layers": len(report), "kept": kept}


def _timings(networks: dict[str, nn.Module], batch: Tensor, config: FrontBench) -> dict[str, Timings]:
    """Of all but the paper's form together; that one, which takes far longer, once beside dense."""
    make = _step if config.step else _inference
    functions: dict[str, Function] = {name: make(model, batch, config) for name, model in networks.items()}
    slow = functions.pop(PAPER, None)
    together = config.time(functions, warm_ups=1)
    found = dict.fromkeys(functions, together)
    if slow is not None:
        once = config.model_copy(update={"rounds": 1})
        found[PAPER] = once.time({DENSE: functions[DENSE], PAPER: slow}, warm_ups=0)
    return found


def _inference(model: nn.Module, batch: Tensor, config: FrontBench) -> Function:
    return lambda: _outputs(model, [batch], config)


def _step(model: nn.Module, batch: Tensor, config: FrontBench) -> Function:
    """A training step at a learning rate of 0: the network stays the one that was judged."""

    def run() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        optimizer.zero_grad(set_to_none=True)
        with config.autocast():
            output = model(batch)
        output.float().square().mean().backward()
        optimizer.step()

    return run


def _placed(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
