"""How does a topology of SCALE-Sim look in the terminal, counted by Mercuric and by SCALE-Sim?"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.page import formats
from mercuric.studies.train.terminal import DEPTHS

_ENGINE = ("dense", "scoped", "product", "signature")
_OURS = ("fair_forward_baseline", "forward_baseline", "forward_product", "forward_signature")


def topology_table(layers: pd.DataFrame) -> Table:
    """A layer a row; where SCALE-Sim counted too, each figure as ``ours / SCALE-Sim's``.

    Args:
        layers: ``Simulated.layers``.
    """
    with_engine = "scalesim_dense" in layers.columns
    caption = (
        "forward cycles, Mercuric / SCALE-Sim; dense: whole layers; scope by scope: one product an image and "
        "channel, what MERCURY is compared with in the paper's timing"
        if with_engine
        else "paper, fair: cycles of the baseline, of MERCURY, and speed-up, in that timing"
    )
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption)
    table.add_column("layer", overflow="fold")
    names = ("dense", "scope by scope", "misses", "signatures") if with_engine else _TIMED
    for name in ("vectors", "HIT", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for _, layer in layers.iterrows():
        hits = layer["HIT"] / layer["vectors"] if layer["vectors"] else float("nan")
        cells = _both(layer) if with_engine else _timed(layer)
        shown = (formats.count(layer["vectors"]), formats.percent(hits).replace(" ", ""), *cells)
        table.add_row(Text(str(layer["layer"])), *map(Text, shown))
    return table


_TIMED = ("paper", "MERCURY", "", "fair", "MERCURY", "")


def _timed(layer: "pd.Series[Any]") -> list[str]:
    cells = []
    for timing in ("cycles", "fair"):
        baseline, mercury = layer[f"{timing}_baseline"], layer[f"{timing}_mercury"]
        ratio = baseline / mercury if mercury else float("nan")
        cells += [formats.count(baseline), formats.count(mercury), formats.ratio(ratio)]
    return cells


def _both(layer: "pd.Series[Any]") -> list[str]:
    pairs = [(layer[ours], layer[f"scalesim_{theirs}"]) for ours, theirs in zip(_OURS, _ENGINE, strict=True)]
    return [f"{ours:,.0f} / {theirs:,.0f}" for ours, theirs in pairs]


def topology_total(summary: Mapping[str, Any]) -> Table:
    """All layers together, a timing a row, both baselines where the array has two, and SCALE-Sim's.

    Args:
        summary: what was counted, and the figures of ``Simulated.summary``.
    """
    said = [f"{key}: {value}" for key, value in summary.items() if isinstance(value, str | int | float)]
    reuse = summary["reuse"]
    cache = "unlimited" if reuse["entries"] is None else f"{reuse['entries']} entries, {reuse['ways']} ways"
    caption = f"on {summary['cycles']['accelerator']}, MCACHE: {cache}; {'; '.join(said)}"
    table = Table(caption=Text(caption))
    for name in ("", "baseline", "MERCURY", "of which signatures", "speed-up"):
        table.add_column(name, justify="right" if name else "left")
    for timing in ("paper", "fair"):
        cycles = [summary["cycles"][timing][part] for part in ("baseline", "mercury", "signature")]
        table.add_row(timing, *map(formats.count, cycles), formats.ratio(summary["speedup"][timing]))
    for depth, count in summary["baselines"].items():
        table.add_row(f"dense, {DEPTHS[depth]}", formats.count(count))
    engine = summary.get("scalesim", {})
    for baseline in ("scoped", "dense") if engine else ():
        parts = [engine[f"scalesim_{part}"] for part in (baseline, "product", "signature")]
        cycles = [parts[0], parts[1] + parts[2], parts[2]]
        shown = formats.ratio(engine["speedup"][baseline])
        table.add_row(f"SCALE-Sim, {_BASELINES[baseline]}", *map(formats.count, cycles), shown)
    return table


_BASELINES = {"scoped": "scope by scope, forward", "dense": "whole layers, forward"}
