"""Fig. 14a: do layers turn similarity detection off while a network trains?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, lines, tabulated
from mercuric.studies.reproduce.studied import setting_of_sweep, setting_of_training, sweep_of, training_of
from mercuric.studies.train.adaptation_log import AdaptationLog

POINTS = 40


def found(folders: Mapping[str, Path]) -> Found:
    """Which layers of each network are on, and how many of one that trains, step by step."""
    networks = _networks(sweep_of(folders["speedups"]))
    off = networks["off"].sum() / networks.to_numpy().sum()
    mixed = networks[(networks["on"] > 0) & (networks["off"] > 0)]
    some, log = _trained(folders)
    names = [str(name) for name in networks.index]
    series = {"on": networks["on"].tolist(), "off": networks["off"].tolist()}
    pictures = [
        Picture(
            "figure-14a", "Layers that detect similarity", "Row stationary; a layer that loses is off.",
            bars(names, series, "layers"),
        )
    ]  # fmt: skip
    return Found(
        {
            "networks": Number(len(mixed) / len(networks), beside=f"{len(mixed)} of {len(networks)}"),
            "some": some,
        },
        f"In {formats.percent(off, 0)} of all layers signatures "
        f"cost more cycles than HITs save; in the training of a narrow network {some.beside} at the end.",
        setting_of_sweep(folders["speedups"]) + setting_of_training(training_of(folders)),
        pictures if log is None else [*pictures, _steps(log)],
        [tabulated("network", names, series, formats.count)],
    )


def _networks(results: pd.DataFrame) -> pd.DataFrame:
    """Of each network, how many layers gain (``on``), and how many don't (``off``)."""
    rows = results[(results["dataflow"] == "row") & (results["design"] == "synchronous")]
    gains = (rows["cycles_mercury"] < rows["cycles_baseline"]).groupby(rows["model"], sort=False)
    return pd.DataFrame({"on": gains.sum(), "off": gains.size() - gains.sum()})


def _trained(folders: Mapping[str, Path]) -> tuple[Number, AdaptationLog | None]:
    """Whether some layers are off and others on at the end of every seed's training."""
    log = training_of(folders).adaptation
    if log is None:
        return Number(None, beside="not logged"), None
    left, layers = [_on(seed.ends, log.last_step) for seed in log.seeds], len(log.layers)
    off = formats.between(f"{layers - max(left):g}", f"{layers - min(left):g}")
    return Number(float(all(0 < one < layers for one in left)), beside=f"{off} of {layers} off"), log


def _steps(log: AdaptationLog) -> Picture:
    steps = sorted({round(log.last_step * point / POINTS) for point in range(POINTS + 1)})
    on = {f"seed {seed.seed}": [float(_on(seed.ends, step)) for step in steps] for seed in log.seeds}
    return Picture(
        "figure-14a-steps", "Layers on while a network trains", _note(log),
        lines(steps, on, ("step", "layers on")),
    )  # fmt: skip


def _on(ends: Mapping[str, int | None], step: int) -> int:
    return sum(end is None or step < end for end in ends.values())


def _note(log: AdaptationLog) -> str:
    bits = ", ".join(formats.between(str(seed.bits[0][1]), str(seed.bits[-1][1])) for seed in log.seeds)
    return f"Of {formats.number_of(len(log.layers), 'layer')}; signature bits: {bits}."
