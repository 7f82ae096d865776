"""Which networks does the table of accuracies train, and how?"""

from collections.abc import Sequence
from typing import Any

from mercuric.experiments.run_config import RunConfig
from mercuric.training import TrainingConfig

EPOCHS = 10
EXAMPLES = 10_000
SEEDS = (0, 1, 2)

_WIDTHS = {"vgg13": 0.25, "resnet18": 0.25, "mobilenet-v2": 0.5, "squeezenet-1.0": 0.5}
"""Narrow enough that the whole table takes under three hours on two cores."""


def _row(model: str, data: str, **settings: Any) -> RunConfig:
    fields: dict[str, Any] = {
        "runs": ("dense", "reuse"),
        "seeds": SEEDS,
        "train_examples": EXAMPLES,
        "training": TrainingConfig(epochs=EPOCHS, test_every=5),
        **settings,
    }
    return RunConfig(model=model, data=data, **fields)


ROWS: dict[str, RunConfig] = {
    f"{model}-{data}": _row(model, data, width=width)
    for model, width in _WIDTHS.items()
    for data in ("fashion-mnist", "photos")
} | {
    "transformer-help-en-de": _row(
        "transformer",
        "help-en-de",
        vocabulary_size=2000,
        max_words=12,
        test_sentences=200,
        training=TrainingConfig(
            epochs=EPOCHS,
            test_every=5,
            optimizer="adamw",
            learning_rate=1e-3,
            clip_norm=1.0,
            label_smoothing=0.1,
        ),
    )
}
"""Name to configuration."""


def chosen(names: Sequence[str]) -> dict[str, RunConfig]:
    """The rows of these names; all for none.

    Raises:
        ValueError: an unknown name.
    """
    for name in names:
        if name not in ROWS:
            raise ValueError(f"row was {name!r}, but must be one of {', '.join(ROWS)}")
    return {name: ROWS[name] for name in names} if names else dict(ROWS)
