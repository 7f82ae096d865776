"""Fig. 15c: how many unique vectors does each layer have?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import convolutions, setting_of, similarity_of
from mercuric.studies.similarity.charts import unique_chart

FIRST = 3


def found(folders: Mapping[str, Path]) -> Found:
    """Distinct signatures in a channel of an image, the mean over channels."""
    study = similarity_of(folders)
    channels = study.tables["channels"]
    rows = convolutions(channels)
    unique = rows.groupby("layer", sort=False)["unique"].mean().reset_index(drop=True)
    numbers = {
        "first": Number(float(unique.to_numpy().argmax() < FIRST)),
        "falls": Number(float(unique.corr(unique.index.to_series(), method="spearman"))),
    }
    return Found(
        numbers,
        f"A channel has {formats.count(unique.iloc[0])} unique vectors in the first layer and "
        f"{formats.count(unique.iloc[-1])} in "
        "the last convolution.",
        setting_of(study),
        [Picture("figure-15c", "Unique vectors", study.summary.subject, unique_chart(channels))],
    )
