"""Fig. 1: how many vectors of VGG13 are alike?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import setting_of, similarity_of
from mercuric.studies.similarity.charts import similarity_chart

PRODUCTS = {"input": "forward", "gradient": "input_gradient"}


def found(folders: Mapping[str, Path]) -> Found:
    """The convolution with most HITs, for both kinds of vectors."""
    study = similarity_of(folders)
    layers = study.tables["layers"]
    numbers = {name: _most(layers[layers["product"] == product]) for name, product in PRODUCTS.items()}
    zero = layers["zero_hits"].sum() / layers["HIT"].sum()
    return Found(
        numbers,
        f"The similarity is there: {formats.percent(zero, 0)} of all HITs are vectors of zeros, which "
        "the figure "
        "may or may not count.",
        setting_of(study),
        [
            Picture(
                "figure-1", "Similar vectors, layer by layer", study.summary.subject, similarity_chart(layers)
            )
        ],
    )


def _most(rows: pd.DataFrame) -> Number:
    hits = rows["HIT"] / rows["vectors"]
    best = rows.iloc[int(hits.to_numpy().argmax())]
    return Number(
        float(hits.max()),
        beside=f"{best['layer']}; {formats.percent(best['similar'])} without vectors of zeros",
    )
