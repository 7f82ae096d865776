"""How do energy, area, waiting and idle arrays of a simulation look in the terminal?"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES, Timing
from mercuric.accelerator.energy.area import AREA_45NM, BASELINE_PARTS
from mercuric.page import formats
from mercuric.studies.evaluate.figures import energy

_DESIGNS = {"baseline": "dense", "mercury": "MERCURY"}


def cost_table(layers: pd.DataFrame, summary: Mapping[str, Any]) -> Table | None:
    """A layer a row, in the accelerator's timing, and all of them; None where there is nothing to show.

    Args:
        layers: ``Simulation.layers``.
        summary: the figures of ``Simulation.summary``.
    """
    timing: Timing = summary["cycles"]["timing"]
    columns = _columns(layers, summary, timing)
    if not columns:
        return None
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=Text(_caption(summary, timing)))
    table.add_column("layer", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for place, layer in enumerate(layers["layer"]):
        table.add_row(Text(str(layer)), *(Text(cells[place]) for cells in columns.values()))
    table.add_row(Text("all"), *(Text(cells[-1]) for cells in columns.values()), style="bold")
    return table


def _columns(layers: pd.DataFrame, summary: Mapping[str, Any], timing: Timing) -> dict[str, list[str]]:
    """Cells by column: one a layer, and at the end that of all layers."""
    columns: dict[str, list[str]] = {}
    if "arrays_busy" in layers:
        columns["arrays at work"] = [*map(str, layers["arrays_busy"]), str(summary["arrays"]["arrays"])]
    for design, name in _DESIGNS.items():
        if waits := _waits(layers, COLUMN_PREFIXES[timing], design):
            columns[f"{name} waits"] = waits
    if "energy" in summary:
        unit, spent = summary["energy"]["unit"], summary["energy"][timing]
        each = {design: layers[f"energy_{timing}_{design}"].tolist() for design in _DESIGNS}
        for design, name in _DESIGNS.items():
            figures = [*each[design], spent[design]]
            columns[f"energy, {name}"] = [energy(figure, unit) for figure in figures]
        pairs = zip([*each["baseline"], spent["baseline"]], [*each["mercury"], spent["mercury"]], strict=True)
        columns["saved"] = [formats.percent(1 - ours / dense if dense else 0.0) for dense, ours in pairs]
    return columns


def _waits(layers: pd.DataFrame, prefix: str, design: str) -> list[str]:
    """``DRAM 45 %``: what a layer waits for, and in which share of its cycles; not at all: nothing."""
    start = f"{prefix}_baseline_" if design == "baseline" else f"{prefix}_"
    there = {
        name: f"{start}{name.lower()}" for name in ("DRAM", "link") if f"{start}{name.lower()}" in layers
    }
    if not there:
        return []
    taken = layers[[*there.values(), f"{prefix}_{design}"]]
    cells = []
    for row in [*taken.to_dict("records"), taken.sum().to_dict()]:
        waits = {name: row[column] for name, column in there.items() if row[column]}
        parts = [
            f"{name} {formats.percent(wait / row[f'{prefix}_{design}'])}" for name, wait in waits.items()
        ]
        cells.append(", ".join(parts))
    return cells


def _caption(summary: Mapping[str, Any], timing: Timing) -> str:
    said = [f"{timing} timing"]
    if "baseline_dram" in summary["cycles"] or "baseline_link" in summary["cycles"]:
        said.append("waits: share of a layer's cycles, contained in its speed-up")
    if "energy" in summary:
        said.append(f"energies: {summary['energy']['table']}")
    idle = summary.get("arrays", {}).get("idle", {})
    if idle:
        said.append(
            f"layers that can't be split so often leave up to {max(idle.values())} of "
            f"{summary['arrays']['arrays']} arrays idle: {', '.join(idle)}"
        )
    return "; ".join(said)


def area_line(summary: Mapping[str, Any]) -> str:
    """The chip's area and MERCURY's share of it, or why it has none."""
    area = summary["area_mm2"]
    if area is None:
        return f"no area: {summary['area_unknown']}"
    whole, mercury = sum(area.values()), sum(area[part] for part in area if part not in BASELINE_PARTS)
    return f"area: {whole:.3g} mm2 at {AREA_45NM.name}, of which MERCURY {formats.percent(mercury / whole)}"
