"""What did MERCURY do in each layer, as the page's table?"""

from typing import Any

import pandas as pd

from mercuric.page import formats
from mercuric.page.table import Cell, SortableTable

_HEADINGS = (
    ("#", "position in the network", False),
    ("layer", "", True),
    ("kind", "", True),
    ("vectors", "input vectors over the whole training", False),
    ("bits", "signature bits at the end of training, mean over seeds", False),
    ("similar", "HITs of vectors similar to an earlier one, share of vectors", False),
    ("zero", "HITs of all-zero vectors, share of vectors", False),
    ("MAU", "misses whose result was kept, share of vectors", False),
    ("MNU", "misses that found their set full, share of vectors", False),
    ("error", "relative output error against the dense layer", False),
    ("baseline", "baseline cycles, paper timing", False),
    ("MERCURY", "cycles with MERCURY, paper timing, signatures included", False),
    ("signatures", "cycles spent on signatures, paper timing", False),
    ("speed-up", "baseline over MERCURY, paper timing", False),
    ("fair", "baseline over MERCURY, pipelined baseline", False),
    ("reuse", "whether reuse was still on at the end", True),
)
_SHARES = ("similar_hit", "zero_hit", "mau", "mnu")
_CYCLES = ("cycles_baseline", "cycles_mercury", "cycles_signature")
_SPEEDUPS = ("speedup", "fair_speedup")


def layer_table(layers: pd.DataFrame) -> SortableTable:
    """A layer a row, of the rows of ``average_over_seeds``."""
    rows = [_row(place, layer) for place, (_, layer) in enumerate(layers.iterrows(), start=1)]
    return SortableTable(_HEADINGS, rows, "All layers")


def _row(position: int, layer: "pd.Series[Any]") -> list[Cell]:
    error = f"{layer['error']:.3f}" if formats.is_known(layer["error"]) else formats.MISSING
    return [
        Cell(str(position), position),
        Cell(layer["layer"]),
        Cell(layer["kind"]),
        Cell(formats.count(layer["vectors"]), layer["vectors"]),
        Cell(f"{layer['bits']:.3g}", layer["bits"]),
        *(Cell(formats.percent(layer[name]), layer[name]) for name in _SHARES),
        Cell(error, layer["error"]),
        *(Cell(formats.count(layer[name]), layer[name]) for name in _CYCLES),
        *(Cell(formats.ratio(layer[name]), layer[name], layer[name] < 1) for name in _SPEEDUPS),
        Cell(_state(layer["on"])),
    ]


def _state(on: float) -> str:
    if on in (0, 1):
        return "on" if on else "off"
    return f"on in {formats.percent(on, decimals=0)} of seeds"
