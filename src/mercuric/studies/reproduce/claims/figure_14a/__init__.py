"""Fig. 14a: do layers turn similarity detection off while a network trains?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import lines
from mercuric.studies.reproduce.studied import setting_of_training, training_of
from mercuric.studies.train.adaptation_log import AdaptationLog

POINTS = 40


def found(folders: Mapping[str, Path]) -> Found:
    """How many layers are on, step by step."""
    trained = training_of(folders)
    log = trained.adaptation
    if log is None:
        return Found({}, "The training has no log of its layers.", setting_of_training(trained))
    steps = sorted({round(log.last_step * point / POINTS) for point in range(POINTS + 1)})
    on = {f"seed {seed.seed}": [float(_on(seed.ends, step)) for step in steps] for seed in log.seeds}
    left = [series[-1] for series in on.values()]
    layers = len(log.layers)
    numbers = {
        "some": Number(
            float(all(0 < one < layers for one in left)),
            beside=f"{formats.between(f'{min(left):g}', f'{max(left):g}')} of {layers} on",
        )
    }
    off = formats.between(f"{layers - max(left):g}", f"{layers - min(left):g}")
    return Found(
        numbers,
        f"{off} of {formats.number_of(layers, 'layer')} are off at the end: at this width and size a layer's "
        "signatures cost more than its HITs save.",
        setting_of_training(trained),
        [Picture("figure-14a", "Layers that detect "
            "similarity", _note(log), lines(steps, on, ("step", "layers on")))],
    )  # fmt: skip


def _on(ends: Mapping[str, int | None], step: int) -> int:
    return sum(end is None or step < end for end in ends.values())


def _note(log: AdaptationLog) -> str:
    bits = ", ".join(formats.between(str(seed.bits[0][1]), str(seed.bits[-1][1])) for seed in log.seeds)
    return f"Of {formats.number_of(len(log.layers), 'layer')}; signature bits: {bits}."
