"""Fig. 15a: do HIT and MAU rise from layer to layer?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.studied import convolutions, rise, seeds_of_similarity, setting_of
from mercuric.studies.similarity.charts import product_chart
from mercuric.studies.similarity.folder import Study


def found(folders: Mapping[str, Path]) -> Found:
    """What isn't MNU, by the layer's place."""
    studies = seeds_of_similarity(folders)
    study, rows = studies[0], convolutions(studies[0].tables["layers"])
    shares = [_share(one) for one in studies]
    share, vectors = shares[0], rows["vectors"] / rows["channels"] / study.summary.images
    gradual = [rise(one) for one in shares]
    numbers = {
        "rises": Number(float(all(one.iloc[-1] > one.iloc[0] for one in shares))),
        "gradual": Number(gradual[0], spread=spread_of(gradual)),
    }
    return Found(
        numbers,
        f"HIT and MAU go from {formats.percent(share.iloc[0])} to {formats.percent(share.iloc[-1])} of "
        f"a layer's vectors. {study.summary.reuse['entries']} entries hold a channel of an image, which has "
        f"{formats.count(vectors.iloc[0])} vectors in the first layer and {formats.count(vectors.iloc[-1])} "
        "in the last.",
        setting_of(study),
        [
            Picture(
                "figure-15a",
                "HIT, MAU and MNU",
                study.summary.subject,
                product_chart(study.tables["layers"], "forward"),
            )
        ],
    )


def _share(study: Study) -> "pd.Series[float]":
    """HIT and MAU of each convolution's vectors."""
    return convolutions(study.tables["layers"])["mnu"].rsub(1).reset_index(drop=True)
