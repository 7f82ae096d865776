"""The layerwise ablation: which of two arrays takes less energy, and when?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.arrays import OUTPUT, SETTING, WEIGHT, energies, most_weights
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated


def found(folders: Mapping[str, Path]) -> Found:
    """Energy of each layer on both arrays, for one image and for sixteen."""
    one, sixteen = (energies(folders["arrays"], batch) for batch in (1, 16))
    ratio, later = (table[WEIGHT] / table[OUTPUT] for table in (one, sixteen))
    largest = most_weights(folders["arrays"])
    numbers = {
        "most": Number(float((ratio > 1).mean()), beside=_layers(ratio > 1)),
        "large": Number(
            float(ratio[largest] < 1),
            beside=f"{largest}: {formats.ratio(ratio[largest])} of output stationary's",
        ),
        "batch": Number(
            float((later < 1).sum() > (ratio < 1).sum()),
            beside=f"{_layers(ratio < 1)} and {_layers(later < 1)}",
        ),
        "sixteen": Number(
            float(sixteen[WEIGHT].sum() < sixteen[OUTPUT].sum()),
            beside=f"{formats.ratio(sixteen[WEIGHT].sum() / sixteen[OUTPUT].sum())} of output stationary's",
        ),
    }
    names = [str(name) for name in one.index]
    series = {"one image": ratio.tolist(), "16 images": later.tolist()}
    return Found(
        numbers,
        f"With one image output stationary wins {_layers(ratio > 1)}, with 16 {_layers(later > 1)}: a "
        "weight that stays pays "
        "once a batch uses it several times.",
        SETTING,
        [
            Picture(
                "mapping-ablation", "Weight over output stationary", "Energy of a layer; under 1 "
                    "weights should stay.",
                bars(names, series, "energy ratio"),
            )
        ],
        [tabulated("layer", names, series, formats.ratio)],
    )  # fmt: skip


def _layers(chosen: "pd.Series[bool]") -> str:
    return f"{int(chosen.sum())} of {len(chosen)} layers"
