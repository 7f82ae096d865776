"""Fig. 15a: do HIT and MAU rise from layer to layer?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import convolutions, setting_of, similarity_of
from mercuric.studies.similarity.charts import product_chart


def found(folders: Mapping[str, Path]) -> Found:
    """What isn't MNU, by the layer's place."""
    study = similarity_of(folders)
    layers = study.tables["layers"]
    share = convolutions(layers)["mnu"].rsub(1).reset_index(drop=True)
    numbers = {
        "rises": Number(float(share.iloc[-1] > share.iloc[0])),
        "gradual": Number(float(share.corr(share.index.to_series(), method="spearman"))),
    }
    return Found(
        numbers,
        f"HIT and MAU go from {formats.percent(share.iloc[0])} to {formats.percent(share.iloc[-1])} of "
        "a layer's vectors: "
        "a small image fits the MCACHE whole.",
        setting_of(study),
        [Picture("figure-15a", "HIT, MAU and MNU", study.summary.subject, product_chart(layers, "forward"))],
    )
