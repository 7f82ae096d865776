"""Which networks does the table of accuracies train, and how?"""

from collections.abc import Sequence
from typing import Any

from mercuric.config import require_once
from mercuric.errors import ArgumentError
from mercuric.reuse import AdaptationConfig, Alike
from mercuric.studies.train.config import RunConfig
from mercuric.training import TrainingConfig

EPOCHS = 10
EXAMPLES = 10_000
OTHER_EPOCHS, OTHER_EXAMPLES = 4, 5_000
"""Of the other networks, most of them deep: a comparison at equal steps, not a network trained to its end."""
SEEDS = (0, 1, 2)

ALWAYS_ON = AdaptationConfig(stoppage=None)
"""Signatures grow, but no layer turns off: at these sizes nearly all would, and leave nothing to measure."""

_WIDTHS = {"vgg13": 0.25, "resnet18": 0.125, "squeezenet-1.0": 0.25, "mobilenet-v2": 0.125}
"""Narrow enough that these rows take under three hours on two cores."""

_OTHER_WIDTHS = {
    "alexnet": 0.25, "custom-cnn": 1.0, "densenet121": 0.25, "densenet169": 0.25, "googlenet": 0.25,
    "inception-v4": 0.25, "resnet34": 0.125, "resnet50": 0.125, "resnet101": 0.125, "resnet152": 0.125,
    "vgg16": 0.25, "vgg19": 0.25,
}  # fmt: skip

_OTHER_TRAINING: dict[str, dict[str, Any]] = {"alexnet": {"optimizer": "adamw", "learning_rate": 1e-3}}
"""AlexNet has no normalisation, and learns nothing in so few steps of SGD."""

_TRANSLATION: dict[str, Any] = {
    "vocabulary_size": 2000,
    "max_words": 12,
    "test_sentences": 200,
    "training": TrainingConfig(
        epochs=EPOCHS, test_every=5, optimizer="adamw", learning_rate=1e-3, clip_norm=1.0, label_smoothing=0.1
    ),
}


def _row(model: str, data: str, **settings: Any) -> RunConfig:
    fields: dict[str, Any] = {
        "runs": ("dense", "reuse"),
        "seeds": SEEDS,
        "train_examples": EXAMPLES,
        "training": TrainingConfig(epochs=EPOCHS, test_every=5),
        "reuse": Alike(adaptation=ALWAYS_ON),
        **settings,
    }
    return RunConfig(model=model, data=data, **fields)


_IMAGES: dict[str, RunConfig] = {
    f"{model}-{data}": _row(model, data, width=width)
    for model, width in _WIDTHS.items()
    for data in ("fashion-mnist", "photos")
}

MAIN: dict[str, RunConfig] = {
    **_IMAGES,
    "transformer-help-en-de": _row("transformer", "help-en-de", width=0.5, **_TRANSLATION),
}
"""What ``mercuric accuracy`` measures, over three seeds: name to configuration."""

_PAPER = Alike.paper().changed(adaptation=ALWAYS_ON)

OTHERS: dict[str, RunConfig] = {
    "vgg13-fashion-mnist-paper": _row("vgg13", "fashion-mnist", width=0.25, reuse=_PAPER),
    "vgg13-fashion-mnist-adaptive": _row("vgg13", "fashion-mnist", width=0.25, reuse=Alike()),
    **{
        f"{model}-fashion-mnist": _row(
            model,
            "fashion-mnist",
            width=width,
            seeds=SEEDS[:1],
            train_examples=OTHER_EXAMPLES,
            training=TrainingConfig(epochs=OTHER_EPOCHS, test_every=2, **_OTHER_TRAINING.get(model, {})),
        )
        for model, width in _OTHER_WIDTHS.items()
    },
}
"""What is measured where it is named: the published form, layers that turn off by the simulated cycles
(``-adaptive``), and the other networks, shorter and over one seed."""


def chosen(names: Sequence[str], **changes: Any) -> dict[str, RunConfig]:
    """The rows of these names; the main ones for none, the other networks for ``"others"``.

    Args:
        names: of rows.
        **changes: ``seeds``, ``train_examples`` and ``epochs`` of all rows, instead of their own.

    Raises:
        ValueError: an unknown name, or a setting out of range.
    """
    rows = {**MAIN, **OTHERS}
    listed = [row for name in names or MAIN for row in (OTHERS if name == "others" else [name])]
    for name in listed:
        if name not in rows:
            raise ArgumentError(f"row was {name!r}, but must be others or one of {', '.join(rows)}")
    require_once("row", listed)
    return {name: _changed(rows[name], **changes) for name in listed}


def _changed(row: RunConfig, epochs: int | None = None, **changes: Any) -> RunConfig:
    if epochs is not None:
        changes["training"] = row.training.changed(
            epochs=epochs, test_every=min(row.training.test_every, epochs)
        )
    return row.changed(**changes)
