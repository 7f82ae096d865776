"""How does an evaluation look as tables, in the terminal and in the page?"""

import html
from collections.abc import Sequence
from typing import get_args

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.energy.area import FPGA_RESOURCES, MERCURY_PARTS
from mercuric.accelerator.energy.roofline import Bound
from mercuric.page import formats
from mercuric.page.found_with import mcaches, normalised, signatures
from mercuric.page.html_table import number_cell, sortable_table, text_cell
from mercuric.studies.evaluate.figures import DESIGN_NAMES, LEVEL_NAMES, energy, saved, seconds
from mercuric.studies.evaluate.study import Evaluation

_SHARES = "shares of the energy; added: MCACHE, Signature Table, Hitmap; "
_BOUNDS = get_args(Bound)
_LEVELS = ("mac", "register_file", "pe_to_pe", "buffer", "dram")


def evaluation_table(evaluation: Evaluation, *, shares: bool = True) -> Table:
    """A row for each accelerator, batch and design: energy, where it goes, time, and what is saved.

    Args:
        evaluation: what was counted.
        shares: whether there is room for the energy's shares; without them 80 columns are enough.
    """
    described = evaluation.described
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=Text(
            f"{described['model']} at {described['image_size']} px, {described['weights']}; "
            f"{described['products']}, {evaluation.config.timing} timing"
        ),
        caption=Text(
            f"{_SHARES if shares else ''}latency: the array's cycles, or the DRAM's where they are more"
            + ("" if evaluation.config.dense else f"; {_found_with(evaluation)}")
        ),
    )
    table.add_column("accelerator", overflow="fold")
    table.add_column("batch", justify="right")
    table.add_column("design")
    parts = ("MAC", "RF", "PE-PE", "buffer", "DRAM", "added") if shares else ()
    for head in ("energy", *parts, "latency", "saved", "speed-up"):
        table.add_column(head, justify="right", no_wrap=True)
    baseline: pd.Series[float] | None = None
    for _, row in evaluation.totals().iterrows():
        baseline = row if row["design"] == "baseline" else baseline
        spent = [float(row[f"energy_{level}"] / row["energy"]) for level in _LEVELS] if shares else []
        spent += [max(0.0, 1 - sum(spent))] if shares else []
        gains = ("", "")
        if row["design"] == "mercury" and baseline is not None:
            gains = (
                saved(baseline["energy"], row["energy"]),
                formats.ratio(baseline["latency"] / row["latency"]),
            )
        table.add_row(
            Text(str(row["accelerator"])),
            str(row["batch"]),
            DESIGN_NAMES[str(row["design"])],
            energy(row["energy"], evaluation.unit),
            *(formats.percent(share, decimals=0) for share in spent),
            formats.count(row["latency"]),
            *gains,
        )
    return table


def _found_with(evaluation: Evaluation) -> str:
    said = (signatures(evaluation.found_with()), mcaches(evaluation.accelerators))
    return "; ".join([*said, normalised(evaluation.described["normalisation"])])


def total_rows(evaluation: Evaluation) -> str:
    """The same as a sortable table element, with seconds."""
    clocks = {one.name: one for one in evaluation.accelerators}
    headings = [
        ("accelerator", "", True),
        ("batch", "images in the batch", False),
        ("design", "", True),
        ("energy", "of the whole batch", False),
        ("an image", "energy of one image", False),
        ("array", "clock cycles of the array", False),
        ("DRAM", "clock cycles that the DRAM needs", False),
        ("latency", "clock cycles, of each product the longer of the two", False),
        ("time", "at the accelerator's clock", False),
    ]
    rows = []
    for _, row in evaluation.totals().iterrows():
        time = clocks[str(row["accelerator"])].seconds(int(row["latency"]))
        rows.append(
            [
                text_cell(str(row["accelerator"])),
                number_cell(row["batch"], str(row["batch"])),
                text_cell(DESIGN_NAMES[str(row["design"])]),
                number_cell(row["energy"], energy(row["energy"], evaluation.unit)),
                number_cell(
                    row["energy"] / row["batch"], energy(row["energy"] / row["batch"], evaluation.unit)
                ),
                *(
                    number_cell(row[name], formats.count(row[name]))
                    for name in ("cycles", "dram_cycles", "latency")
                ),
                number_cell(time, seconds(time)),
            ]
        )
    return sortable_table(headings, rows)


def bound_rows(evaluation: Evaluation) -> str:
    """How many layers each bound limits, and the share of the latency that they take, as a table element."""
    leading = evaluation.layers[evaluation.layers["timing"] == evaluation.config.timing]
    headings = [("accelerator", "", True), ("batch", "images in the batch", False), ("design", "", True)]
    headings += [(f"by {limit}", "layers, and their share of the latency", False) for limit in _BOUNDS]
    rows = []
    for (name, batch, design), layers in leading.groupby(["accelerator", "batch", "design"], sort=False):
        images = int(str(batch))
        cells = [text_cell(str(name)), number_cell(images, str(images)), text_cell(DESIGN_NAMES[str(design)])]
        for limit in _BOUNDS:
            limited = layers[layers["bound"] == limit]
            share = limited["latency"].sum() / layers["latency"].sum()
            cells.append(number_cell(share, f"{len(limited)} ({formats.percent(share, decimals=0)})"))
        rows.append(cells)
    return sortable_table(headings, rows)


def layer_table(evaluation: Evaluation) -> str:
    """A row for each accelerator, batch and layer as a sortable table element."""
    leading = evaluation.layers[evaluation.layers["timing"] == evaluation.config.timing]
    keys = ["accelerator", "batch", "layer", "kind"]
    figures = leading.set_index([*keys, "design"])[["energy", "latency", "bound"]]
    sides = figures.unstack("design", sort=False).reset_index()
    headings = [
        ("accelerator", "", True),
        ("batch", "", False),
        ("layer", "", True),
        ("kind", "", True),
        *(
            (f"{what}, {DESIGN_NAMES[design]}", "", False)
            for what in ("energy", "latency")
            for design in evaluation.designs
        ),
        ("bound", "what takes most cycles; with MERCURY, where that is something else", True),
    ]
    rows = []
    for _, row in sides.iterrows():
        cells = [
            text_cell(str(row["accelerator", ""])),
            number_cell(row["batch", ""], str(row["batch", ""])),
            text_cell(str(row["layer", ""])),
            text_cell(str(row["kind", ""])),
        ]
        for design in evaluation.designs:
            value = row["energy", design]
            cells.append(number_cell(value, energy(value, evaluation.unit), _mark(row, "energy", design)))
        for design in evaluation.designs:
            value = row["latency", design]
            cells.append(number_cell(value, formats.count(value), _mark(row, "latency", design)))
        bounds = dict.fromkeys(str(row["bound", design]) for design in evaluation.designs)
        cells.append(text_cell(", ".join(bounds)))
        rows.append(cells)
    return sortable_table(headings, rows)


def _mark(row: "pd.Series[float]", what: str, design: str) -> str:
    return " loses" if design == "mercury" and row[what, design] > row[what, "baseline"] else ""


def area_rows(areas: dict[str, dict[str, float]]) -> str:
    """Area of every part of every accelerator, and how much MERCURY adds."""
    names = list(areas)
    parts = list(areas[names[0]])
    rows = [
        [text_cell(part), *(number_cell(areas[name][part], f"{areas[name][part]:.4f}") for name in names)]
        for part in parts
    ]
    added = [added_area(areas[name]) for name in names]
    rows.append(
        [
            text_cell("added by MERCURY"),
            *(number_cell(share, formats.percent(share)) for share in added),
        ]
    )
    headings = [("part (mm2)", "", True), *((name, "", False) for name in names)]
    return sortable_table(headings, rows)


def added_area(area: dict[str, float]) -> float:
    """MERCURY's parts as a share of the others."""
    added = sum(area[part] for part in MERCURY_PARTS)
    return added / (sum(area.values()) - added)


def fpga_rows() -> str:
    """The paper's Tables II to IV (a) and what each design adds to its baseline."""
    names = list(FPGA_RESOURCES["baseline"])
    headings = [("Virtex 7 (paper)", "", True), *((name, "", False) for name in names)]
    rows = []
    for design, resources in FPGA_RESOURCES.items():
        cells = [text_cell(design)]
        for name in names:
            share = resources[name] / FPGA_RESOURCES["baseline"][name] - 1
            beside = "" if design == "baseline" else f" (+{100 * share:.0f} %)"
            cells.append(number_cell(resources[name], html.escape(f"{resources[name]:g}{beside}")))
        rows.append(cells)
    return sortable_table(headings, rows)


def engine_rows(evaluation: Evaluation) -> str:
    """What another engine says of the dense forward layers, as a sortable table element."""
    headings = [
        ("accelerator", "", True), ("batch", "", False), ("layer", "", True),
        ("energy", "", False), ("cycles", "clock cycles", False),
    ]  # fmt: skip
    rows = [
        [
            text_cell(str(row["accelerator"])),
            number_cell(row["batch"], str(row["batch"])),
            text_cell(str(row["layer"])),
            number_cell(row["energy"], energy(row["energy"], evaluation.unit)),
            number_cell(row["cycles"], formats.count(row["cycles"])),
        ]
        for _, row in evaluation.engine.iterrows()
    ]
    return sortable_table(headings, rows)


def energy_costs(evaluation: Evaluation) -> Sequence[tuple[str, str]]:
    """Each table of energies with its source, as terms and definitions."""
    seen = {table.name: table for table in evaluation.energies}
    return [
        (
            f"Energies: {table.name}",
            f"{table.source}. In {table.unit}: "
            + ", ".join(
                f"{LEVEL_NAMES[level]} {getattr(table, level):.3g}"
                for level in LEVEL_NAMES
                if getattr(table, level) is not None
            )
            + "; memories not named cost what their capacity says.",
        )
        for table in seen.values()
    ]
