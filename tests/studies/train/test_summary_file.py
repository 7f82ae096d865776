"""Is ``summary.json`` written and read by one model that loses nothing?"""

from typing import Any

import pytest

from mercuric.errors import ArgumentError
from mercuric.studies.train.summary_file import parse_summary

TOTALS = {"baseline": 12, "mercury": 9, "signature": 2, "stall": 0}
SHARED: dict[str, Any] = {
    "model": "m", "width": 1.0, "data": "d", "metric": "accuracy", "seeds": [0], "epochs": 1,
    "batch_size": 4, "steps": 9, "weights": "trained from scratch", "seconds": {"reuse": 1.5},
    "machine": {"processor": "P", "cores": 2, "memory_gib": 15.6, "python": "3", "torch": "2"},
}  # fmt: skip
IMAGES = {"form": "cifar", "train_images": 36, "train_images_available": 40, "test_images": 10}
SENTENCES = {"train_pairs": 36, "train_pairs_available": 40, "test_pairs": 10, "vocabulary": 99}
RATES = {"hit_rate": 0.5, "zero_rate": 0.2, "similar_rate": 0.4, "bits": 20}


def scored(metric: str, plural: str) -> dict[str, Any]:
    return {metric: 0.75, plural: [0.75], "spread": 0.0, f"{metric}_without_reuse": 0.5}


SUMMARIES = {
    "images": {
        **SHARED, **IMAGES,
        "dense": {"accuracy": 0.5, "accuracies": [0.5], "spread": 0.0},
        "reuse": {
            **scored("accuracy", "accuracies"), **RATES,
            "final_bits": [{"conv": 21}], "layers_off": [["head"]],
        },
        "cycles": {"accelerator": "a", "timing": "paper", **TOTALS, "paper": TOTALS, "fair": TOTALS},
        "speedup": {"paper": 12 / 9, "fair": 12 / 9, "published": None},
    },
    "directions": {
        **SHARED, **IMAGES,
        "reuse": {
            **scored("accuracy", "accuracies"),
            "directions": {"rank": 8, "error": None, "layers": 3, "kept": [2]},
        },
    },
    "sentences": {**SHARED, **SENTENCES, "metric": "bleu", "reuse": {**scored("bleu", "bleus"), **RATES}},
}  # fmt: skip


@pytest.mark.parametrize("kind", SUMMARIES)
def test_what_is_read_is_what_was_written(kind: str) -> None:
    summary = parse_summary(SUMMARIES[kind])
    assert summary.plain() == SUMMARIES[kind]
    assert repr(summary.plain()["seeds"]) == "[0]"
    assert summary.reuse is not None
    assert (summary.reuse.score, summary.reuse.scores, summary.reuse.score_without_reuse) == (
        0.75,
        [0.75],
        0.5,
    )


def test_counts_stay_whole() -> None:
    written = parse_summary(SUMMARIES["images"]).plain()
    counts = [
        written["cycles"]["mercury"],
        written["reuse"]["bits"],
        written["reuse"]["final_bits"][0]["conv"],
    ]
    assert repr(counts) == "[9, 20, 21]"


def test_scores_lie_under_the_metrics_name() -> None:
    with pytest.raises(ArgumentError, match=r"the summary's reuse\.bleu: field required"):
        parse_summary({**SUMMARIES["images"], "dense": None, "metric": "bleu"})
