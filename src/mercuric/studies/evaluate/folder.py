"""What was evaluated into this folder?"""

from pathlib import Path

import pandas as pd

from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.hardware import Accelerator
from mercuric.files.reading import read_json_object
from mercuric.reuse import Alike, ReuseConfig
from mercuric.reuse.alike.config import require_alike
from mercuric.studies.evaluate.config import EvaluationConfig
from mercuric.studies.evaluate.study import Evaluation

_NOT_DESCRIBED = {
    "timing", "unit", "accelerators", "energies", "reuse", "results", "area_mm2", "fpga", "engine",
}  # fmt: skip
"""What ``evaluation.json`` says beside network, data, weights and machine."""


def read_evaluation(folder: Path) -> Evaluation:
    """What :func:`~mercuric.studies.evaluate.study.write_evaluation` wrote.

    Raises:
        ValueError, KeyError: a file is broken, or lacks a figure.
        OSError: a file can't be read.
    """
    summary = read_json_object(folder / "evaluation.json")
    reuse = summary["reuse"]
    return Evaluation(
        config=EvaluationConfig.read(folder / "config.yaml"),
        reuse=Alike.paper() if reuse is None else require_alike(ReuseConfig(**reuse), "reuse"),
        accelerators=tuple(Accelerator(**one) for one in summary["accelerators"]),
        energies=tuple(Energies(**one) for one in summary["energies"]),
        layers=pd.read_csv(folder / "layers.csv", keep_default_na=False, dtype={"layer": str}),
        areas=summary["area_mm2"],
        engine=pd.DataFrame(summary["engine"]),
        described={key: value for key, value in summary.items() if key not in _NOT_DESCRIBED},
    )
