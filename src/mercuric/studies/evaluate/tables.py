"""How does an evaluation look as tables, in the terminal and in the page?"""

from collections.abc import Callable, Sequence
from typing import get_args

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.energy.area import FPGA_RESOURCES, MERCURY_PARTS
from mercuric.accelerator.energy.roofline import Bound
from mercuric.page import formats
from mercuric.page.found_with import mcaches, normalised, signatures
from mercuric.page.table import Cell, Heading, SortableTable
from mercuric.studies.evaluate.figures import DESIGN_NAMES, LEVEL_NAMES, energy, saved, seconds
from mercuric.studies.evaluate.study import Evaluation

_SHARES = "shares of the energy; added: MCACHE, Signature SortableTable, Hitmap; "
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


def total_table(evaluation: Evaluation) -> SortableTable:
    """The same for the page, with seconds."""
    clocks = {one.name: one for one in evaluation.accelerators}
    headings: list[Heading] = [
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
        time, whole = clocks[str(row["accelerator"])].seconds(int(row["latency"])), row["energy"]
        rows.append(
            [
                Cell(str(row["accelerator"])),
                Cell(str(row["batch"]), row["batch"]),
                Cell(DESIGN_NAMES[str(row["design"])]),
                *(Cell(energy(value, evaluation.unit), value) for value in (whole, whole / row["batch"])),
                *(Cell(formats.count(row[name]), row[name]) for name in ("cycles", "dram_cycles", "latency")),
                Cell(seconds(time), time),
            ]
        )
    return SortableTable(headings, rows, "Totals")


def bound_table(evaluation: Evaluation) -> SortableTable:
    """How many layers each bound limits, and the share of the latency that they take."""
    leading = evaluation.layers[evaluation.layers["timing"] == evaluation.config.timing]
    headings = [("accelerator", "", True), ("batch", "images in the batch", False), ("design", "", True)]
    headings += [(f"by {limit}", "layers, and their share of the latency", False) for limit in _BOUNDS]
    rows = []
    for (name, batch, design), layers in leading.groupby(["accelerator", "batch", "design"], sort=False):
        images = int(str(batch))
        cells = [Cell(str(name)), Cell(str(images), images), Cell(DESIGN_NAMES[str(design)])]
        for limit in _BOUNDS:
            limited = layers[layers["bound"] == limit]
            share = limited["latency"].sum() / layers["latency"].sum()
            cells.append(Cell(f"{len(limited)} ({formats.percent(share, decimals=0)})", share))
        rows.append(cells)
    return SortableTable(headings, rows, "Layers by what takes most cycles")


def layer_table(evaluation: Evaluation) -> SortableTable:
    """A row for each accelerator, batch and layer."""
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
    written: dict[str, Callable[[float], str]] = {
        "energy": lambda value: energy(value, evaluation.unit),
        "latency": formats.count,
    }
    rows = []
    for _, row in sides.iterrows():
        cells = [
            Cell(str(row["accelerator", ""])),
            Cell(str(row["batch", ""]), row["batch", ""]),
            Cell(str(row["layer", ""])),
            Cell(str(row["kind", ""])),
        ]
        for what, text in written.items():
            for design in evaluation.designs:
                value = row[what, design]
                loses = design == "mercury" and value > row[what, "baseline"]
                cells.append(Cell(text(value), value, bool(loses)))
        bounds = dict.fromkeys(str(row["bound", design]) for design in evaluation.designs)
        cells.append(Cell(", ".join(bounds)))
        rows.append(cells)
    return SortableTable(headings, rows, "All layers")


def area_table(areas: dict[str, dict[str, float]]) -> SortableTable:
    """Area of every part of every accelerator, and how much MERCURY adds."""
    names = list(areas)
    parts = list(areas[names[0]])
    rows = [
        [Cell(part), *(Cell(f"{areas[name][part]:.4f}", areas[name][part]) for name in names)]
        for part in parts
    ]
    added = [added_area(areas[name]) for name in names]
    rows.append([Cell("added by MERCURY"), *(Cell(formats.percent(share), share) for share in added)])
    headings = [("part (mm2)", "", True), *((name, "", False) for name in names)]
    return SortableTable(headings, rows, "All parts")


def added_area(area: dict[str, float]) -> float:
    """MERCURY's parts as a share of the others."""
    added = sum(area[part] for part in MERCURY_PARTS)
    return added / (sum(area.values()) - added)


def fpga_table() -> SortableTable:
    """The paper's Tables II to IV (a) and what each design adds to its baseline."""
    names = list(FPGA_RESOURCES["baseline"])
    headings = [("Virtex 7 (paper)", "", True), *((name, "", False) for name in names)]
    rows = []
    for design, resources in FPGA_RESOURCES.items():
        cells = [Cell(design)]
        for name in names:
            share = resources[name] / FPGA_RESOURCES["baseline"][name] - 1
            beside = "" if design == "baseline" else f" (+{100 * share:.0f} %)"
            cells.append(Cell(f"{resources[name]:g}{beside}", resources[name]))
        rows.append(cells)
    return SortableTable(headings, rows, "The paper's Tables II to IV")


def engine_table(evaluation: Evaluation) -> SortableTable:
    """What another engine says of the dense forward layers."""
    headings = [
        ("accelerator", "", True), ("batch", "", False), ("layer", "", True),
        ("energy", "", False), ("cycles", "clock cycles", False),
    ]  # fmt: skip
    rows = [
        [
            Cell(str(row["accelerator"])),
            Cell(str(row["batch"]), row["batch"]),
            Cell(str(row["layer"])),
            Cell(energy(row["energy"], evaluation.unit), row["energy"]),
            Cell(formats.count(row["cycles"]), row["cycles"]),
        ]
        for _, row in evaluation.engine.iterrows()
    ]
    return SortableTable(headings, rows, "Dense forward layers by another engine")


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
