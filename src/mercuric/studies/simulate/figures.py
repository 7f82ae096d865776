"""How does a simulation look in a paper? Its cycles as charts, its layers as a table."""

from typing import Any

import numpy as np
import pandas as pd

from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES
from mercuric.page.chart import Picture
from mercuric.page.layer_charts import timed_cycles
from mercuric.page.parts import Section
from mercuric.page.table import Column, SortableTable, numbers, words


def as_section(layers: pd.DataFrame) -> Section:
    """The section of a page that nobody writes: a chart a timing, and all figures.

    Args:
        layers: ``Simulation.layers``.
    """
    charts = [
        Picture(
            f"cycles-{timing}", f"Cycles of each layer, {timing} timing",
            "The baseline beside products and signatures.", timed_cycles(layers, timing),
        )
        for timing in COLUMN_PREFIXES
    ]  # fmt: skip
    return Section(
        "layers", "All layers", [*charts, SortableTable([_column(layers[name]) for name in layers])]
    )


def _column(values: "pd.Series[Any]") -> Column:
    name = str(values.name)
    if pd.api.types.is_numeric_dtype(values) and values.dtype != np.bool_:
        return numbers(name, values.tolist(), "{:.6g}".format)
    return words(name, values)
