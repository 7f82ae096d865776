"""How do MERCURY's layers look in the terminal?"""

from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.page import formats
from mercuric.studies.train.layers import average_over_seeds

_SHARES = {"similar": "similar_hit", "zero": "zero_hit", "MAU": "mau", "MNU": "mnu"}
_SPEEDUPS = {"paper": "speedup", "fair": "fair_speedup"}


def layer_table(layers: pd.DataFrame) -> Table:
    """A layer a row, averaged over the seeds; the speed-up is red where the layer loses cycles.

    Args:
        layers: the content of ``layers.csv``.

    Raises:
        ValueError: a column is missing, a cell is no number, or the counts contradict each other.
    """
    averaged = average_over_seeds(layers)
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption="similar, zero: HITs; error: of the output; paper, fair: speed-up in that timing",
    )
    table.add_column("layer", overflow="fold")
    for name in ("vectors", "bits", *_SHARES, "error", *_SPEEDUPS):
        table.add_column(name, justify="right", no_wrap=True)
    for _, layer in averaged.iterrows():
        dimmed = "dim" if layer["on"] == 0 else ""
        table.add_row(Text(layer["layer"]), *_cells(layer), style=dimmed)
    return table


def _cells(layer: "pd.Series[Any]") -> list[Text]:
    texts = [formats.count(layer["vectors"]), "off" if layer["on"] == 0 else f"{layer['bits']:g}"]
    texts += [formats.percent(layer[share]).replace(" ", "") for share in _SHARES.values()]
    texts.append(f"{layer['error']:.3f}" if formats.is_known(layer["error"]) else formats.MISSING)
    speedups = [
        Text(formats.ratio(layer[column]), style="red" if layer[column] < 1 else "")
        for column in _SPEEDUPS.values()
    ]
    return [*map(Text, texts), *speedups]
