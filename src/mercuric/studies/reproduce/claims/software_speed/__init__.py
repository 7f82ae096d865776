"""MERCURY in software: does training end sooner?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import setting_of_training
from mercuric.studies.similarity.training import Trained, read_training


def found(folders: Mapping[str, Path]) -> Found:
    """Seconds of dense training over those with reuse."""
    trained = {name: read_training(path) for name, path in folders.items()}
    ratios = {name: _ratio(one) for name, one in trained.items()}
    custom, vgg, exact = (ratios.get(name) for name in ("training-custom", "training", "equal-custom"))
    larger = None if custom is None or vgg is None else float(vgg > custom)
    return Found(
        {
            "custom": Number(custom),
            "larger": Number(larger, beside="" if vgg is None else f"VGG13 {formats.ratio(vgg)}"),
            "exact": Number(exact),
        },
        f"Finding similar vectors costs a CPU more than it saves ({formats.ratio(custom)}); equal "
        f"vectors, computed once, gave {formats.ratio(exact)}.",
        [fact for one in trained.values() for fact in setting_of_training(one)],
    )


def _ratio(trained: Trained) -> float | None:
    return None if trained.summary is None else trained.summary.seconds_ratio("reuse")
