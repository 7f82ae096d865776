"""How do benchmarks look as tables, in the terminal and in Markdown?"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.markdown import markdown_table
from mercuric.page import formats

Cell = Callable[["pd.Series[Any]"], str]
_PASSES = {"forward": "forward", "forward + backward": "both"}


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Attributes:
        name: over it.
        text: how a row's figure is written.
        known: the field without which, in all rows, the column is left out.
        ratio: the field that is below 1 where the row is slower than dense, in a column of speed-ups.
        left: whether it holds words.
        whole: whether these are never broken.
    """

    name: str
    text: Cell
    known: str | None = None
    ratio: str | None = None
    left: bool = False
    whole: bool = False


Columns = list[Column]


def layer_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Timed layers by what they read: a row a case and form, both passes side by side."""
    wide: dict[tuple[str, str, str], dict[str, Any]] = {}
    for _, row in table.iterrows():
        known = wide.setdefault((row["inputs"], row["case"], row["form"]), {**row})
        kind = _PASSES[row["pass"]]
        for field in ("dense_ms", "speedup", "speedup_q1", "speedup_q3", "efficiency"):
            known[f"{kind}_{field}"] = row[field]
    rows = pd.DataFrame(list(wide.values()))
    return {str(inputs): group for inputs, group in rows.groupby("inputs", sort=False)}


def layer_columns(table: pd.DataFrame) -> Columns:
    """Of :func:`layer_tables`' rows: what is missing in all of them is left out."""
    columns = [
        *([_words("case", whole=True)] if table["case"].any() else []),
        _words("form"),
        _percent("hits", "hits", known=True),
        _whole("rank", "rank", known=True),
        _decimals("error", "error", 3, known=True),
    ]
    for kind in _PASSES.values():
        columns.append(_times(f"{kind}, times", f"{kind}_"))
        columns.append(_percent(f"{kind}, of limit", f"{kind}_efficiency"))
    return _known(columns, table)


def train_columns(table: pd.DataFrame) -> Columns:
    """Of timed training steps."""
    columns = [
        _words("network", whole=True),
        _milliseconds("dense ms", "dense_ms"),
        _milliseconds("fast() ms", "ms"),
        _times("times faster"),
        Column("kept", lambda row: f"{row['kept']} of {row['layers']}", left=True),
        _percent("to choose", "choosing_share", known=True),
        _percent("to estimate", "estimating_share", known=True),
        Column("memory", _memory, known="memory_ratio"),
    ]
    return _known(columns, table)


def prefix_columns(table: pd.DataFrame) -> Columns:
    """Of steps on batches whose sequences begin alike."""
    scored = [_words("loss of", "loss")] if "loss" in table else []
    return [
        _words("network", whole=True),
        _words("case", whole=True),
        *scored,
        _whole("tokens", "tokens"),
        _whole("distinct", "distinct"),
        Column("limit", lambda row: formats.ratio(row["limit"])),
        _milliseconds("dense ms", "dense_ms"),
        _milliseconds("shared ms", "ms"),
        _times("times faster"),
        _percent("of limit", "efficiency", 0),
    ]


def chosen_columns() -> Columns:
    """Of a network's layers: what was measured, and the form that was kept."""
    return [
        _words("network", whole=True),
        _words("layer", whole=True),
        _words("kind"),
        _whole("rank", "rank"),
        _decimals("error", "error", 3),
        _milliseconds("dense ms", "dense_ms"),
        _milliseconds("fast() ms", "reuse_ms"),
        _words("kept"),
    ]


def front_columns(table: pd.DataFrame) -> Columns:
    """Of the front's points."""
    columns = [_words("form", "group"), _words("setting", whole=True)]
    columns += [
        _percent("error", "error"),
        _percent("agreement", "agreement", known=True),
        _percent("test accuracy", "correct", 2, known=True),
        _percent("hits", "hits", known=True),
        _whole("kept", "kept", known=True, left=True),
        _percent("MACs", "macs", 0, known=True),
        _milliseconds("ms", "ms"),
        _times("times faster"),
    ]
    return _known(columns, table)


def equal_columns(name: str, table: pd.DataFrame) -> Columns:
    """Of the tables of exact reuse; ``name`` is that of one of them."""
    named = [_words("network", whole=True), _words("data", whole=True)]
    timed = [
        _decimals("limit", "limit", 2),
        _words("strongest dense", "strongest"),
        _milliseconds("dense ms", "dense_ms"),
        _milliseconds("ms", "ms"),
        _times("times faster"),
    ]
    size = [_whole("side", "image_size"), _whole("batch", "batch")]
    threads = _whole("threads", "threads")
    run = [threads, Column("pass", _pass, left=True, whole=True), _words("order", known=True)]
    if name == "timed":
        whole = [_ratio("all batches", "whole"), _percent("of limit", "efficiency", 0)]
        return [*named, *size, *run, *timed, *whole]
    if name == "batches":
        columns = [*named, *run, _whole("number", "number"), _words("class", known=True), *timed]
    elif name == "layers":
        columns = [
            *named, threads, _words("layer", whole=True), _words("kind"), _whole("vectors", "vectors"),
            _percent("equal", "equal"), _percent("of all MACs", "macs_share"),
            _percent("computed", "computed"), _words("computes"),
        ]  # fmt: skip
    elif name == "exact":
        columns = [
            *named, threads, _words("of", whole=True), _scientific("from dense", "from_dense"),
            _scientific("from float64", "from_float64"),
            _scientific("dense from float64", "dense_from_float64"), _scientific("in float64", "in_float64"),
        ]  # fmt: skip
    elif name == "memory":
        columns = [
            *named, *size, threads, _whole("dense MiB", "dense_mib"), _whole("MiB", "reuse_mib"),
            Column("memory", _memory),
        ]  # fmt: skip
    else:
        columns = [*named, _words("how to get the data", "how")]
    return _known(columns, table)


def terminal_table(table: pd.DataFrame, columns: Columns, title: str, caption: str = "") -> Table:
    """Rows as a table of the terminal; what is slower than dense is red."""
    shown = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=Text(title), caption=Text(caption) if caption else None
    )
    for column in columns:
        shown.add_column(
            column.name,
            justify="left" if column.left else "right",
            overflow="fold",
            no_wrap=column.whole,
            min_width=17 if column.ratio else None,
        )
    for _, row in table.iterrows():
        shown.add_row(*(Text(one.text(row), style="red" if _loses(one, row) else "") for one in columns))
    return shown


def strongest_dense(table: pd.DataFrame) -> str:
    """Which form of dense ratios are over, where it was not PyTorch's plain one; else empty."""
    counts = Counter(table.get("dense_form", ()))
    if set(counts) <= {"dense"}:
        return ""
    named = ", ".join(f"{form} ({count})" for form, count in counts.most_common())
    return f"Strongest form of dense, and in how many measurements: {named}."


def markdown(table: pd.DataFrame, columns: Columns) -> str:
    """Rows as a Markdown table."""
    rows = [[column.text(row) for column in columns] for _, row in table.iterrows()]
    return markdown_table([column.name for column in columns], rows, [column.left for column in columns])


def _known(columns: Columns, table: pd.DataFrame) -> Columns:
    return [one for one in columns if one.known is None or table.get(one.known, pd.Series()).notna().any()]


def _loses(column: Column, row: "pd.Series[Any]") -> bool:
    return column.ratio is not None and round(row[column.ratio], 2) < 1


def _words(name: str, field: str | None = None, whole: bool = False, known: bool = False) -> Column:
    def text(row: "pd.Series[Any]") -> str:
        return str(row[field or name]) if pd.notna(row[field or name]) else formats.MISSING

    return Column(name, text, field or name if known else None, left=True, whole=whole)


def _percent(name: str, field: str, decimals: int = 1, known: bool = False) -> Column:
    return Column(name, lambda row: formats.percent(row[field], decimals), field if known else None)


def _whole(name: str, field: str, known: bool = False, left: bool = False) -> Column:
    return _decimals(name, field, 0, known, left)


def _decimals(name: str, field: str, decimals: int, known: bool = False, left: bool = False) -> Column:
    def text(row: "pd.Series[Any]") -> str:
        return f"{row[field]:.{decimals}f}" if isfinite(row[field]) else formats.MISSING

    return Column(name, text, field if known else None, left=left)


def _scientific(name: str, field: str) -> Column:
    return Column(name, lambda row: f"{row[field]:.1e}")


def _milliseconds(name: str, field: str) -> Column:
    return Column(name, lambda row: f"{row[field]:.3g}" if row[field] < 100 else f"{row[field]:.0f}")


def _times(name: str, prefix: str = "") -> Column:
    def text(row: "pd.Series[Any]") -> str:
        ratio, low, high = (row[f"{prefix}speedup{part}"] for part in ("", "_q1", "_q3"))
        return f"{formats.ratio(ratio)} ({low:.2f}-{high:.2f})"

    return Column(name, text, ratio=f"{prefix}speedup")


def _ratio(name: str, field: str) -> Column:
    return Column(name, lambda row: formats.ratio(row[field]))


def _pass(row: "pd.Series[Any]") -> str:
    return _PASSES.get(row["pass"], str(row["pass"]))


def _memory(row: "pd.Series[Any]") -> str:
    ratio, low, high = (row[f"memory_{part}"] for part in ("ratio", "q1", "q3"))
    return f"{ratio:.2f} ({low:.2f}-{high:.2f})"
