"""Fig. 15b: in which layers does MERCURY save cycles?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.layer_charts import cycle_chart
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.studied import convolutions, seeds_of_similarity, setting_of
from mercuric.studies.similarity.folder import Study


def found(folders: Mapping[str, Path]) -> Found:
    """Speed-up of each convolution's step, in both timings."""
    studies = seeds_of_similarity(folders)
    study, cycles = studies[0], studies[0].tables["cycles"]
    own = convolutions(cycles)
    papers, fairs = ([_gains(one, prefix) for one in studies] for prefix in ("cycles", "fair"))
    paper, fair = papers[0], fairs[0]
    differs = [float(one.max() / one.min()) for one in papers]
    numbers = {
        "all": Number(_all_gain(papers), _all_gain(fairs)),
        "differs": Number(differs[0], float(fair.max() / fair.min()), spread_of(differs)),
    }
    lost = cycles[
        ~cycles["layer"].isin(own["layer"]) & (cycles["cycles_mercury"] > cycles["cycles_baseline"])
    ]
    return Found(
        numbers,
        f"Convolutions gain {formats.between(formats.ratio(paper.min()), formats.ratio(paper.max()))}; "
        f"{formats.number_of(len(lost), 'fully connected layer')}, with one vector an image, lose: "
        "signatures cost, and nothing is alike.",
        setting_of(study),
        [
            Picture(
                "figure-15b",
                "Cycles of a training step",
                study.summary.subject,
                cycle_chart(cycles, "cycles of one training step"),
            )
        ],
    )


def _gains(study: Study, prefix: str) -> "pd.Series[float]":
    """The speed-up of each convolution in one timing."""
    own = convolutions(study.tables["cycles"])
    return own[f"{prefix}_baseline"] / own[f"{prefix}_mercury"]


def _all_gain(seeds: "Sequence[pd.Series[float]]") -> float:
    return float(all((one > 1).all() for one in seeds))
