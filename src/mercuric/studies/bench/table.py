"""How do benchmarks look as tables, in the terminal and in Markdown?"""

import re
from collections import Counter
from collections.abc import Callable
from math import isfinite
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.page import formats

Cell = Callable[["pd.Series[Any]"], str]
Columns = dict[str, Cell]
_LEFT = {"case", "form", "network", "layer", "kind", "kept", "group", "setting"}
_WHOLE = {"case", "network", "layer", "setting"}
_PASSES = {"forward": "forward", "forward + backward": "both"}
_CASE = re.compile(
    r"(?P<whole>.+), (?P<planted>\S+) planted|(?P<layer>\S+|attention \d+ of \d+) (?:of|in) (?P<rest>.+)"
)


def layer_tables(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Timed layers by what they read: a row a case and form, both passes side by side."""
    wide: dict[tuple[str, str, str], dict[str, Any]] = {}
    for _, row in table.iterrows():
        title, case = _case(str(row["inputs"]))
        known = wide.setdefault((title, case, str(row["form"])), {"title": title, "case": case, **row})
        kind = _PASSES[row["pass"]]
        for field in ("dense_ms", "speedup", "speedup_q1", "speedup_q3", "efficiency"):
            known[f"{kind}_{field}"] = row[field]
    rows = pd.DataFrame(list(wide.values()))
    return {str(title): group for title, group in rows.groupby("title", sort=False)}


def _case(inputs: str) -> tuple[str, str]:
    found = _CASE.fullmatch(inputs)
    if found is None:
        return inputs, ""
    return (found["whole"], found["planted"]) if found["planted"] else (found["rest"], found["layer"])


def layer_columns(table: pd.DataFrame) -> Columns:
    """Of :func:`layer_tables`' rows: what is missing in all of them is left out."""
    columns: Columns = {"case": _text("case"), "form": _text("form")}
    columns |= {"hits": _percent("hits"), "rank": _whole("rank"), "error": _decimals("error", 3)}
    for kind in _PASSES.values():
        columns[f"{kind}, times"] = _times(f"{kind}_")
        columns[f"{kind}, of limit"] = _percent(f"{kind}_efficiency")
    empty = {"hits": "hits", "rank": "rank", "error": "error"}
    known = _known(columns, table, empty)
    return known if table["case"].any() else {name: cell for name, cell in known.items() if name != "case"}


def train_columns(table: pd.DataFrame) -> Columns:
    """Of timed training steps."""
    columns: Columns = {
        "network": _text("network"),
        "dense ms": _milliseconds("dense_ms"),
        "fast() ms": _milliseconds("ms"),
        "times faster": _times(),
        "kept": lambda row: f"{row['kept']} of {row['layers']}",
        "to choose": _percent("choosing_share"),
        "to estimate": _percent("estimating_share"),
        "memory": _memory,
    }
    fields = {"to choose": "choosing_share", "to estimate": "estimating_share", "memory": "memory_ratio"}
    return _known(columns, table, fields)


def chosen_columns() -> Columns:
    """Of a network's layers: what was measured, and the form that was kept."""
    columns: Columns = {name: _text(name) for name in ("network", "layer", "kind")}
    columns |= {"rank": _whole("rank"), "error": _decimals("error", 3)}
    columns |= {"dense ms": _milliseconds("dense_ms"), "fast() ms": _milliseconds("reuse_ms")}
    return {**columns, "kept": _text("kept")}


def front_columns(table: pd.DataFrame) -> Columns:
    """Of the front's points."""
    columns: Columns = {"form": _text("group"), "setting": _text("setting")}
    if "accuracy" in table:
        columns |= {
            "accuracy": _percent("accuracy", 2), "spread": _percent("spread", 2),
            "seconds": _decimals("seconds", 1), "dense in these": _percent("dense_accuracy", 2),
            "difference": _points("gain"), "steps": _whole("steps"), "seeds": _whole("seeds"),
            "kept": _decimals("kept", 1),
        }  # fmt: skip
        return _known(columns, table, {"spread": "spread", "kept": "kept"})
    columns |= {
        "error": _percent("error"), "agreement": _percent("agreement"),
        "test accuracy": _percent("correct", 2), "hits": _percent("hits"),
        "kept": _whole("kept"), "ms": _milliseconds("ms"), "times faster": _times(),
    }  # fmt: skip
    return _known(
        columns, table, {one: one for one in ("agreement", "hits", "kept")} | {"test accuracy": "correct"}
    )


def terminal_table(table: pd.DataFrame, columns: Columns, title: str, caption: str = "") -> Table:
    """Rows as a table of the terminal; what is slower than dense is red."""
    shown = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=Text(title), caption=Text(caption) if caption else None
    )
    for name in columns:
        left = name in _LEFT
        shown.add_column(
            name,
            justify="left" if left else "right",
            overflow="fold",
            no_wrap=name in _WHOLE,
            min_width=17 if "times" in name else None,
        )
    for _, row in table.iterrows():
        shown.add_row(
            *(
                Text(text := cell(row), style="red" if "times" in name and text.startswith("0.") else "")
                for name, cell in columns.items()
            )
        )
    return shown


def strongest_dense(table: pd.DataFrame) -> str:
    """Which form of dense ratios are over, where it was not PyTorch's plain one; else empty."""
    counts = Counter(table.get("dense_form", ()))
    if set(counts) <= {"dense"}:
        return ""
    named = ", ".join(f"{form} ({count})" for form, count in counts.most_common())
    return f"Strongest form of dense, and in how many measurements: {named}."


def markdown_table(table: pd.DataFrame, columns: Columns) -> str:
    """Rows as a Markdown table."""
    rule = ["---" if name in _LEFT else "--:" for name in columns]
    rows = [[cell(row) for cell in columns.values()] for _, row in table.iterrows()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [list(columns), rule, *rows]) + "\n"


def _known(columns: Columns, table: pd.DataFrame, fields: dict[str, str]) -> Columns:
    empty = {name for name, field in fields.items() if field not in table or table[field].isna().all()}
    return {name: cell for name, cell in columns.items() if name not in empty}


def _text(field: str) -> Cell:
    return lambda row: str(row[field])


def _percent(field: str, decimals: int = 1) -> Cell:
    return lambda row: formats.percent(row[field], decimals)


def _points(field: str) -> Cell:
    return lambda row: f"{100 * row[field]:+.2f}" if isfinite(row[field]) else formats.MISSING


def _memory(row: "pd.Series[Any]") -> str:
    ratio, low, high = (row[f"memory_{part}"] for part in ("ratio", "q1", "q3"))
    return f"{ratio:.2f} ({low:.2f}-{high:.2f})"


def _whole(field: str) -> Cell:
    return lambda row: f"{row[field]:.0f}" if isfinite(row[field]) else formats.MISSING


def _decimals(field: str, decimals: int) -> Cell:
    return lambda row: f"{row[field]:.{decimals}f}" if isfinite(row[field]) else formats.MISSING


def _milliseconds(field: str) -> Cell:
    return lambda row: f"{row[field]:.3g}" if row[field] < 100 else f"{row[field]:.0f}"


def _times(prefix: str = "") -> Cell:
    def cell(row: "pd.Series[Any]") -> str:
        ratio, low, high = (row[f"{prefix}speedup{part}"] for part in ("", "_q1", "_q3"))
        return f"{formats.ratio(ratio)} ({low:.2f}-{high:.2f})"

    return cell
