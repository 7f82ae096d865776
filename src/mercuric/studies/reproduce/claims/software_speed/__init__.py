"""MERCURY in software: does training end sooner?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.studied import setting_of_training
from mercuric.studies.similarity.training import Trained, read_training


def found(folders: Mapping[str, Path]) -> Found:
    """Seconds of dense training over those with reuse."""
    trained = {name: read_training(path) for name, path in folders.items()}
    ratios = {name: _ratio(one) for name, one in trained.items()}
    custom, vgg, exact = (
        ratios.get(name, Number(None)) for name in ("training-custom", "training", "equal-custom")
    )
    larger = None if custom.ours is None or vgg.ours is None else float(vgg.ours > custom.ours)
    said = f"Finding similar vectors costs a CPU more than it saves ({formats.ratio(custom.ours)})"
    if exact.ours is not None:
        said += f"; equal vectors, computed once, gave {formats.ratio(exact.ours)}"
    return Found(
        {
            "custom": custom,
            "larger": Number(larger, beside="" if vgg.ours is None else f"VGG13 {formats.ratio(vgg.ours)}"),
            "exact": exact,
        },
        f"{said}.",
        [fact for one in trained.values() for fact in setting_of_training(one)],
    )


def _ratio(trained: Trained) -> Number:
    """Of the mean seconds, and over seeds where the log has both trainings."""
    if trained.summary is None:
        return Number(None)
    ratio = trained.summary.seconds_ratio("reuse")
    if trained.metrics is None or trained.summary.mercury_run != "reuse":
        return Number(ratio)
    ends = trained.metrics.epochs.groupby(["seed", "run"])["seconds"].max().unstack()
    return Number(ratio, spread=spread_of((ends["dense"] / ends["reuse"]).tolist()))
