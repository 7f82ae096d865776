"""Fig. 15b: in which layers does MERCURY save cycles?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.layer_charts import cycle_chart
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.studied import convolutions, setting_of, similarity_of


def found(folders: Mapping[str, Path]) -> Found:
    """Speed-up of each convolution's step, in both timings."""
    study = similarity_of(folders)
    cycles = study.tables["cycles"]
    own = convolutions(cycles)
    paper, fair = (own[f"{prefix}_baseline"] / own[f"{prefix}_mercury"] for prefix in ("cycles", "fair"))
    numbers = {
        "all": Number(float((paper > 1).all()), float((fair > 1).all())),
        "differs": Number(float(paper.max() / paper.min()), float(fair.max() / fair.min())),
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
