"""What came out of a comparison, in figures?"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pandas as pd

from mercuric import zoo
from mercuric.accelerator import as_accelerator, totals
from mercuric.data import ImageData
from mercuric.experiments.machine import machine
from mercuric.experiments.outcome import Outcome
from mercuric.experiments.run_config import RunConfig
from mercuric.files import write_text
from mercuric.reuse import similarity_rates

PUBLISHED_SPEEDUP = {"vgg13": 1.89}
"""Training speed-ups that the paper gives for one network by number (section I)."""


def summarize(
    config: RunConfig, images: ImageData, outcomes: Sequence[Outcome], folder: Path
) -> dict[str, Any]:
    """Write ``summary.json`` and return what it holds.

    Accuracies, seconds and cycles of a whole training are means over seeds; rates are shares of all
    input vectors.
    """
    dense = [outcome for outcome in outcomes if outcome.run == "dense"]
    reuse = [outcome for outcome in outcomes if outcome.run == "reuse"]
    summary: dict[str, Any] = {
        "model": config.model,
        "form": zoo.form(images.image_size),
        "data": config.data,
        "seeds": list(config.seeds),
        "epochs": config.training.epochs,
        "batch_size": config.training.batch_size,
        "train_images": len(images.train),
        "test_images": len(images.test),
        "weights": "trained from scratch",
        "seconds": {},
    }
    if dense:
        summary["dense"] = _accuracies(dense)
        summary["seconds"]["dense"] = mean(outcome.seconds for outcome in dense)
    if reuse:
        layers = pd.concat([outcome.layers for outcome in reuse])
        without = mean(outcome.accuracy_without_reuse for outcome in reuse)
        summary["reuse"] = {
            **_accuracies(reuse),
            "accuracy_without_reuse": without,
            **similarity_rates(layers),
            "bits": config.reuse.bits,
        }
        summary["seconds"]["reuse"] = mean(outcome.seconds for outcome in reuse)
        cycles = layers.filter(regex="^(cycles|fair)_") / len(reuse)
        summary.update(totals(cycles, as_accelerator(config.accelerator)))
        summary["speedup"]["published"] = PUBLISHED_SPEEDUP.get(config.model)
    summary["machine"] = machine()
    write_text(folder / "summary.json", json.dumps(summary, indent=2) + "\n")
    return summary


def _accuracies(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    accuracies = [outcome.accuracy for outcome in outcomes]
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    return {"accuracy": mean(accuracies), "accuracies": accuracies, "spread": spread}
