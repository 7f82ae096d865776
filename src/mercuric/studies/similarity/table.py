"""How does a similarity study look in the terminal?"""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.page import formats
from mercuric.page.found_with import found_with, normalised
from mercuric.studies.similarity.folder import Study, StudySummary


def similarity_table(study: Study) -> Table:
    """A layer a row: shares of its input vectors, of its gradient vectors, and unique vectors a channel."""
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=Text(study.summary.subject),
        caption=Text(
            "similar, zero: HITs; gradient: similar gradient vectors; unique: a channel of an image; "
            f"{_signatures(study.summary)}; {normalised(study.summary.normalisation)}"
        ),
    )
    table.add_column("layer", overflow="fold")
    for name in ("vectors", "similar", "zero", "MAU", "MNU", "gradient", "unique"):
        table.add_column(name, justify="right", no_wrap=True)
    layers, channels = study.tables["layers"], study.tables["channels"]
    gradients = layers[layers["product"] == "input_gradient"].set_index("layer")["similar"]
    forward = channels[channels["product"] == "forward"]
    unique = forward.groupby("layer")["unique"].mean()
    for _, layer in layers[layers["product"] == "forward"].iterrows():
        name = str(layer["layer"])
        shares = [formats.percent(layer[column]) for column in ("similar", "zero_hit", "mau", "mnu")]
        table.add_row(
            Text(name),
            formats.count(layer["vectors"]),
            *shares,
            formats.percent(_at(gradients, name)),
            formats.count(_at(unique, name)),
        )
    return table


def _signatures(summary: StudySummary) -> str:
    return found_with(summary.reuse) if summary.reuse else f"{summary.bits}-bit signatures"


def _at(values: "pd.Series[float]", name: str) -> float | None:
    return float(values[name]) if name in values.index else None
