"""Fig. 15c: how many unique vectors does each layer have?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.studied import convolutions, rise, seeds_of_similarity, setting_of
from mercuric.studies.similarity.charts import unique_chart
from mercuric.studies.similarity.folder import Study

FIRST = 3


def found(folders: Mapping[str, Path]) -> Found:
    """Distinct signatures in a channel of an image, the mean over channels."""
    studies = seeds_of_similarity(folders)
    study, uniques = studies[0], [_unique(one) for one in studies]
    unique = uniques[0]
    falls = [rise(one) for one in uniques]
    numbers = {
        "first": Number(float(all(one.to_numpy().argmax() < FIRST for one in uniques))),
        "falls": Number(falls[0], spread=spread_of(falls)),
    }
    return Found(
        numbers,
        f"A channel has {formats.count(unique.iloc[0])} unique vectors in the first layer and "
        f"{formats.count(unique.iloc[-1])} in "
        "the last convolution.",
        setting_of(study),
        [
            Picture(
                "figure-15c", "Unique vectors", study.summary.subject, unique_chart(study.tables["channels"])
            )
        ],
    )


def _unique(study: Study) -> "pd.Series[float]":
    """Of each convolution, the mean over channels."""
    rows = convolutions(study.tables["channels"])
    return rows.groupby("layer", sort=False)["unique"].mean().reset_index(drop=True)
