"""How does an evaluation look as tables, in the terminal and in the page?"""

from collections.abc import Sequence
from functools import partial
from typing import get_args

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.energy.area import MERCURY_PARTS
from mercuric.accelerator.energy.roofline import Bound
from mercuric.accelerator.energy.virtex7 import BASELINE, DESIGNS, RESOURCES
from mercuric.page import formats
from mercuric.page.found_with import mcaches, normalised, signatures
from mercuric.page.table import Cell, Column, SortableTable, numbers, words
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
            f"{described['model']} at {formats.size(described)}, {described['weights']}; "
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
    totals, joules = evaluation.totals(), partial(energy, unit=evaluation.unit)
    clocks = {one.name: one for one in evaluation.accelerators}
    times = [
        clocks[name].seconds(int(latency))
        for name, latency in zip(totals["accelerator"], totals["latency"], strict=True)
    ]
    columns = [
        words("accelerator", totals["accelerator"]),
        numbers("batch", totals["batch"], str, "images in the batch"),
        words("design", totals["design"].map(DESIGN_NAMES)),
        numbers("energy", totals["energy"], joules, "of the whole batch"),
        numbers("an image", totals["energy"] / totals["batch"], joules, "energy of one image"),
        numbers("array", totals["cycles"], formats.count, "clock cycles of the array"),
        numbers("DRAM", totals["dram_cycles"], formats.count, "clock cycles that the DRAM needs"),
        numbers(
            "latency", totals["latency"], formats.count,
            "clock cycles, of each product the longer of the two",
        ),
        numbers("time", times, seconds, "at the accelerator's clock"),
    ]  # fmt: skip
    return SortableTable(columns, "Totals")


def bound_table(evaluation: Evaluation) -> SortableTable:
    """How many layers each bound limits, and the share of the latency that they take."""
    groups = _leading(evaluation).groupby(["accelerator", "batch", "design"], sort=False)
    names, batches, designs = zip(*groups.groups, strict=True)
    columns = [
        words("accelerator", names),
        numbers("batch", batches, str, "images in the batch"),
        words("design", [DESIGN_NAMES[design] for design in designs]),
    ]
    for limit in (one for one in _BOUNDS if one != "link" or "link" in set(evaluation.layers["bound"])):
        cells = [_limited(layers, limit) for _, layers in groups]
        columns.append(Column(f"by {limit}", "number", cells, "layers, and their share of the latency"))
    return SortableTable(columns, "Layers by what takes most cycles")


def _limited(layers: pd.DataFrame, limit: str) -> Cell:
    limited = layers[layers["bound"] == limit]
    share = limited["latency"].sum() / layers["latency"].sum()
    return Cell(f"{len(limited)} ({formats.percent(share, decimals=0)})", share)


def layer_table(evaluation: Evaluation) -> SortableTable:
    """A row for each accelerator, batch and layer."""
    keys = ["accelerator", "batch", "layer", "kind"]
    figures = _leading(evaluation).set_index([*keys, "design"])[["energy", "latency", "bound"]]
    sides = figures.unstack("design", sort=False).reset_index()
    columns = [
        words("accelerator", sides["accelerator"]),
        numbers("batch", sides["batch"], str),
        words("layer", sides["layer"]),
        words("kind", sides["kind"]),
    ]
    for what, text in (("energy", partial(energy, unit=evaluation.unit)), ("latency", formats.count)):
        for design in evaluation.designs:
            values = sides[what, design]
            columns.append(
                numbers(
                    f"{what}, {DESIGN_NAMES[design]}", values, text, loses=values > sides[what, "baseline"]
                )
            )
    meaning = "what takes most cycles; with MERCURY, where that is something else"
    bounds = zip(*(sides["bound", design] for design in evaluation.designs), strict=True)
    columns.append(words("bound", [", ".join(dict.fromkeys(pair)) for pair in bounds], meaning))
    return SortableTable(columns, "All layers")


def _leading(evaluation: Evaluation) -> pd.DataFrame:
    return evaluation.layers[evaluation.layers["timing"] == evaluation.config.timing]


def area_table(areas: dict[str, dict[str, float]]) -> SortableTable:
    """Area of every part of every accelerator, and how much MERCURY adds."""
    columns = [words("part (mm2)", [*next(iter(areas.values())), "added by MERCURY"])]
    for name, area in areas.items():
        cells, share = [Cell(f"{size:.4f}", size) for size in area.values()], added_area(area)
        columns.append(Column(name, "number", [*cells, Cell(formats.percent(share), share)]))
    return SortableTable(columns, "All parts")


def added_area(area: dict[str, float]) -> float:
    """MERCURY's parts as a share of the others."""
    added = sum(area[part] for part in MERCURY_PARTS)
    return added / (sum(area.values()) - added)


def fpga_table() -> SortableTable:
    """The paper's Tables II to IV (a) and what each design adds to its baseline."""
    columns = [words("Virtex 7 (paper)", [design.name for design in DESIGNS])]
    for resource, name in RESOURCES.items():
        base = BASELINE.resources[resource]
        taken = [design.resources[resource] for design in DESIGNS]
        cells = [
            Cell(f"{base:g}", base),
            *(Cell(f"{each:g}{_more(each / base)}", each) for each in taken[1:]),
        ]
        columns.append(Column(name, "number", cells))
    return SortableTable(columns, "The paper's Tables II to IV")


def _more(ratio: float) -> str:
    return f" (+{100 * (ratio - 1):.0f} %)"


def engine_table(evaluation: Evaluation) -> SortableTable:
    """What another engine says of the dense forward layers."""
    found = evaluation.engine
    columns = [
        words("accelerator", found["accelerator"]),
        numbers("batch", found["batch"], str),
        words("layer", found["layer"]),
        numbers("energy", found["energy"], partial(energy, unit=evaluation.unit)),
        numbers("cycles", found["cycles"], formats.count, "clock cycles"),
    ]
    return SortableTable(columns, "Dense forward layers by another engine")


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
