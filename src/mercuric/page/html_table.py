"""How do the layers and the comparison look as HTML tables?"""

import html
import math
from typing import Any

import pandas as pd

from mercuric.page import formats
from mercuric.studies.train.comparison import Figure, compare
from mercuric.studies.train.summary_file import Summary

_HEADINGS = (
    ("#", "position in the network"),
    ("layer", ""),
    ("kind", ""),
    ("vectors", "input vectors over the whole training"),
    ("bits", "signature bits at the end of training, mean over seeds"),
    ("similar", "HITs of vectors similar to an earlier one, share of vectors"),
    ("zero", "HITs of all-zero vectors, share of vectors"),
    ("MAU", "misses whose result was kept, share of vectors"),
    ("MNU", "misses that found their set full, share of vectors"),
    ("error", "relative output error against the dense layer"),
    ("baseline", "baseline cycles, paper timing"),
    ("MERCURY", "cycles with MERCURY, paper timing, signatures included"),
    ("signatures", "cycles spent on signatures, paper timing"),
    ("speed-up", "baseline over MERCURY, paper timing"),
    ("fair", "baseline over MERCURY, pipelined baseline"),
    ("reuse", "whether reuse was still on at the end"),
)
_TEXT_COLUMNS = {"layer", "kind", "reuse"}


def comparison_rows(summary: Summary) -> str:
    """The comparison as a table element: dense, MERCURY and the published figure side by side."""
    rows = compare(summary)
    fields = [("dense", "dense"), ("reuse", summary.method), ("published", "published")]
    shown = [(field, name) for field, name in fields if any(getattr(row, field) for row in rows)]
    head = "".join(f'<th scope="col" class="{field}">{name}</th>' for field, name in shown)
    body = "\n".join(_comparison_row(row, [field for field, _ in shown]) for row in rows)
    return (
        '<table class="comparison">\n'
        f"<thead><tr><td></td>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _comparison_row(row: Figure, fields: list[str]) -> str:
    cells = "".join(f'<td class="{field}">{html.escape(getattr(row, field))}</td>' for field in fields)
    detail = ' class="detail"' if row.detail else ""
    return f'<tr{detail}><th scope="row">{html.escape(row.label)}</th>{cells}</tr>'


def layer_rows(layers: pd.DataFrame) -> str:
    """The layers as a sortable table element; takes the rows of ``average_over_seeds``."""
    rows = [_layer_row(position, layer) for position, layer in enumerate(_records(layers), start=1)]
    return sortable_table([(name, meaning, name in _TEXT_COLUMNS) for name, meaning in _HEADINGS], rows)


def sortable_table(headings: list[tuple[str, str, bool]], rows: list[list[str]]) -> str:
    """A table element that the page's script sorts by a click on a heading.

    Args:
        headings: of each column its name, what it means (or nothing), and whether it holds text.
        rows: cells of :func:`text_cell` and :func:`number_cell`.
    """
    head = "".join(_heading(*heading) for heading in headings)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        '<table class="layers" data-sortable>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def titled_table(title: str, table: str) -> str:
    """A table element under its title; it scrolls where the window is narrower."""
    return f'<h3>{html.escape(title)}</h3>\n<div class="scroll" tabindex="0">\n{table}\n</div>'


def text_cell(text: str) -> str:
    """A cell of :func:`sortable_table` that sorts by its text."""
    return f'<td class="text">{html.escape(text)}</td>'


def number_cell(value: float, text: str, mark: str = "") -> str:
    """A cell of :func:`sortable_table` that shows ``text`` and sorts by ``value``."""
    known = f' data-value="{float(value):.12g}"' if math.isfinite(value) else ""
    return f'<td class="number{mark}"{known}>{text}</td>'


def _records(layers: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in layers.to_dict("records")]


def _heading(name: str, meaning: str, is_text: bool) -> str:
    kind = "text" if is_text else "number"
    title = f' title="{html.escape(meaning)}"' if meaning else ""
    return f'<th scope="col" class="{kind}"{title}><button type="button">{html.escape(name)}</button></th>'


def _layer_row(position: int, layer: dict[str, Any]) -> list[str]:
    cells = [
        number_cell(position, str(position)),
        text_cell(layer["layer"]),
        text_cell(layer["kind"]),
        number_cell(layer["vectors"], formats.count(layer["vectors"])),
        number_cell(layer["bits"], f"{layer['bits']:.3g}"),
    ]
    cells += [number_cell(layer[name], formats.percent(layer[name])) for name in ("similar_hit", "zero_hit")]
    cells += [number_cell(layer[name], formats.percent(layer[name])) for name in ("mau", "mnu")]
    error = f"{layer['error']:.3f}" if formats.is_known(layer["error"]) else formats.MISSING
    cells.append(number_cell(layer["error"], error))
    cells += [
        number_cell(layer[name], formats.count(layer[name]))
        for name in ("cycles_baseline", "cycles_mercury", "cycles_signature")
    ]
    cells += [_speedup(layer[name]) for name in ("speedup", "fair_speedup")]
    cells.append(text_cell(_state(layer["on"])))
    return cells


def _speedup(value: float) -> str:
    return number_cell(value, formats.ratio(value), mark=" loses" if value < 1 else "")


def _state(on: float) -> str:
    if on in (0, 1):
        return "on" if on else "off"
    return f"on in {formats.percent(on, decimals=0)} of seeds"
