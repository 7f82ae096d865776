"""Fig. 1: how many vectors of VGG13 are alike?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number, spread_of
from mercuric.studies.reproduce.studied import seeds_of_similarity, setting_of
from mercuric.studies.similarity.charts import similarity_chart

PRODUCTS = {"input": "forward", "gradient": "input_gradient"}


def found(folders: Mapping[str, Path]) -> Found:
    """The convolution with most HITs, for both kinds of vectors."""
    studies = seeds_of_similarity(folders)
    study, layers = studies[0], studies[0].tables["layers"]
    numbers = {name: _most([one.tables["layers"] for one in studies], of) for name, of in PRODUCTS.items()}
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


def _most(seeds: Sequence[pd.DataFrame], product: str) -> Number:
    """The largest share of HITs, of every seed's layers."""
    tables = [layers[layers["product"] == product] for layers in seeds]
    hits = [(rows["HIT"] / rows["vectors"]).to_numpy() for rows in tables]
    best = tables[0].iloc[int(hits[0].argmax())]
    largest = [float(shares.max()) for shares in hits]
    return Number(
        largest[0],
        spread=spread_of(largest),
        beside=f"{best['layer']}; {formats.percent(best['similar'])} without vectors of zeros",
    )
