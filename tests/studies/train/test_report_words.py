"""Are figures written as a person says them, losses as plainly as gains?"""

import json
from typing import Any

import pytest

from mercuric.page import formats
from mercuric.page.score import METRICS
from mercuric.studies.train.headline import headline
from mercuric.studies.train.summary_file import parse_summary

ACCURACY, BLEU = METRICS["accuracy"], METRICS["bleu"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.ratio(1.9651), "1.97x"),
        (formats.ratio(None), formats.MISSING),
        (formats.cycles(12.34e9), "12.3 G cycles"),
        (formats.count(999_960), "1.00 M"),
        (formats.count(0), "0"),
        (formats.count(742), "742"),
        (formats.count(1.5), "1.5"),
        (formats.count(float("nan")), formats.MISSING),
        (formats.percent(0.7123), "71.2 %"),
        (ACCURACY.written(0.87314), "87.31 %"),
        (ACCURACY.change(-0.0042), "\N{MINUS SIGN}0.42 points"),
        (ACCURACY.change(0.00001), "±0.00 points"),
        (BLEU.written(27.314), "27.31"),
        (BLEU.written(float("nan")), formats.MISSING),
        (BLEU.change(-0.42), "\N{MINUS SIGN}0.42 points"),
        (BLEU.width(-0.42), "0.42 points"),
        (BLEU.change(0.004), "±0.00 points"),
        (formats.duration(0.42), "0.4 s"),
        (formats.duration(9.97), "10 s"),
        (formats.duration(59.7), "1 min 00 s"),
        (formats.duration(412), "6 min 52 s"),
        (formats.duration(3840), "1 h 04 min"),
        (formats.duration(183_600), "2 d 3 h"),
        (formats.number_of(1, "seed"), "1 seed"),
        (formats.number_of(60000, "image"), "60,000 images"),
        (formats.listing(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_formats(written, expected):
    assert written == expected


def sentence(dense: float, reuse: float, seeds: list[int], speedup: dict[str, Any]) -> str:
    spread = 0.003 if len(seeds) > 1 else None
    content = {
        "model": "vgg13", "data": "photos", "seeds": seeds, "speedup": speedup,
        "cycles": {"accelerator": "eyeriss-168", "timing": "paper", "baseline": 2e9, "mercury": 1e9},
        "dense": {"accuracy": dense, "accuracies": [dense] * len(seeds), "spread": spread},
        "reuse": {"accuracy": reuse, "accuracies": [reuse] * len(seeds), "spread": spread},
    }  # fmt: skip
    return headline(parse_summary(json.loads(json.dumps(content))))


@pytest.mark.parametrize(
    ("dense", "reuse", "seeds", "speedup", "expected"),
    [
        (0.9, 0.9, [0], {"paper": 1.97, "fair": 1.2},
         "1.97x faster in the paper's timing and 1.20x faster against a pipelined baseline, "
         "and keeps the accuracy."),
        (0.9, 0.88, [0], {"paper": 1.97, "fair": 0.93},
         "1.97x faster in the paper's timing but slower (0.93x) against a pipelined baseline, "
         "and loses 2.00 points of accuracy (one seed)."),
        (0.9, 0.898, [0, 1, 2], {"paper": 0.8, "fair": 0.7},
         "slower (0.80x) in the paper's timing and slower (0.70x) against a pipelined baseline, "
         "and loses 0.20 points of accuracy, within the spread over seeds."),
        (0.9, 0.92, [0, 1, 2], {"paper": 0.8},
         "slower (0.80x) in the paper's timing, but gains 2.00 points of accuracy."),
        (0.9, 0.88, [0, 1, 2], {"paper": 1.001, "fair": 0.999},
         "no faster (1.00x) in the paper's timing and no faster (1.00x) against a pipelined baseline, "
         "but loses 2.00 points of accuracy."),
        (0.9, float("nan"), [0], {}, "Trained with MERCURY, vgg13 reaches no accuracy: training diverged."),
    ],
)  # fmt: skip
def test_headline(dense, reuse, seeds, speedup, expected):
    assert sentence(dense, reuse, seeds, speedup).endswith(expected)
