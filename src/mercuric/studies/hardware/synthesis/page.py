"""How do the synthesized circuits become a page beside the paper's Tables II to IV?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercuric.accelerator.energy.virtex7 import LARGEST, RESOURCES, design
from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture, named
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Paragraph, Part, Section
from mercuric.page.table import Cell, Column, SortableTable, numbers, words
from mercuric.studies.hardware.synthesis.charts import component_chart, growth_chart
from mercuric.studies.hardware.synthesis.laws import laws
from mercuric.studies.hardware.synthesis.tables import (
    FIGURES,
    SUMMARY,
    Comparison,
    cells,
    comparisons,
    component_rows,
    largest_of,
    value_of,
)

_DRAWN = ("luts", "registers")


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``synthesis.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    return write(_page(read_json_object(folder / SUMMARY), command), folder)


def _page(summary: Mapping[str, Any], command: str) -> Page:
    return Page(
        title="Tables II to IV: Mercuric synthesis",
        kicker="hardware",
        subject=f"MERCURY's circuits on a Virtex 7, {array(summary['config'])}",
        headline=answer(summary),
        lead=_lead(summary),
        cards=_cards(summary),
        sections=_sections(summary),
        methods=_METHODS,
        machine=[("Yosys (pyosys)", summary["yosys"]), *machine_facts(summary["machine"])],
        command=command,
    )


def array(config: Mapping[str, Any]) -> str:
    """The circuits' array in a few words."""
    ports = "a port for each PE set" if config["ports"] is None else f"{config['ports']} ports"
    return (
        f"{config['rows']} x {config['columns']} PEs in sets of {config['kernel_rows']}, signatures of "
        f"{config['bits']} bits, {config['word_bits']}-bit words, results in "
        f"{config['results']} with {ports}"
    )


def answer(summary: Mapping[str, Any]) -> str:
    """What MERCURY takes beside the baseline, ours and the paper's, in one sentence."""
    baseline, largest = _baseline_and_largest(summary)
    if largest is None:
        return "No circuit of MERCURY was synthesized in the time that it was given."
    if baseline is None:
        return (
            f"MERCURY with {largest['name']} takes {value_of(largest, 'luts'):,.0f} LUTs and "
            f"{value_of(largest, 'registers'):,.0f} registers; the baseline ran out of time."
        )
    luts, registers = (
        formats.ratio(value_of(largest, one) / value_of(baseline, one)) for one in ("luts", "registers")
    )
    said = (
        f"MERCURY with {largest['name']} takes {luts} the LUTs and {registers} the registers of its baseline"
    )
    published = design(largest["sets"], largest["ways"])
    if published is None:
        return f"{said}."
    theirs = [formats.ratio(_over_baseline(published.resources, one)) for one in ("luts", "registers")]
    return f"{said}; the paper's takes {theirs[0]} and {theirs[1]}."


def _over_baseline(resources: Mapping[str, float], one: str) -> float:
    baseline = design(None, None)
    return resources[one] / baseline.resources[one] if baseline else float("nan")


def _baseline_and_largest(
    summary: Mapping[str, Any],
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    circuits = summary["circuits"]
    mercury = [one for one in circuits if one["sets"] is not None]
    baseline = next((one for one in circuits if one["sets"] is None), None)
    return baseline, largest_of(mercury) if mercury else None


def _lead(summary: Mapping[str, Any]) -> str:
    left = summary["ran_out"]
    missing = f" Out of time, and not here: {formats.listing(left)}." if left else ""
    return (
        f"Synthesized by Yosys for Xilinx' 7 series, {array(summary['config'])}. The paper's figures are "
        "Vivado's, of an array of 168 PEs whose circuits aren't published: ratios to the own baseline, and "
        f"growth from row to row, compare better than counts.{missing}"
    )


def _cards(summary: Mapping[str, Any]) -> list[Card]:
    baseline, largest = _baseline_and_largest(summary)
    if baseline is None or largest is None:
        return []
    cards = []
    published = design(largest["sets"], largest["ways"])
    for figure, name in FIGURES.items():
        mine, base = value_of(largest, figure), value_of(baseline, figure)
        value = formats.ratio(mine / base) if base else f"{mine:g}"
        theirs = ""
        if published is not None and figure in RESOURCES:
            theirs = f"; paper {formats.ratio(_over_baseline(published.resources, figure))}"
        cards.append(Card(f"{name}, over the baseline", value, f"{base:,.10g} to {mine:,.10g}{theirs}"))
    return cards


def _sections(summary: Mapping[str, Any]) -> list[Section]:
    return [
        Section("tables", "Tables II to IV (a)", [table(one) for one in comparisons(summary["circuits"])]),
        Section("growth", "How it grows with the MCACHE", _growth(summary)),
        Section("components", "Where it goes", _components(summary)),
        Section("laws", "What follows from the circuits, and what doesn't", _laws(summary)),
    ]


def table(comparison: Comparison) -> SortableTable:
    """A comparison, ours and the paper's beside each other."""
    rows = comparison.rows
    shown = [cells(row) for _, row in rows.iterrows()]
    heads = ("ours", "paper", "ours / baseline", "paper / baseline", "growth, ours", "growth, paper")
    columns = [words("", [FIGURES[str(one)] for one in rows["figure"]]), words("design", rows["design"])]
    keys = [f"{whose}{what}" for what in ("", "_ratio", "_growth") for whose in ("ours", "paper")]
    for place, (head, key) in enumerate(zip(heads, keys, strict=True)):
        values = [None if value != value else value for value in rows[key].astype(float)]
        texts = [line[place] for line in shown]
        columns.append(Column(head, "number", [Cell(*both) for both in zip(texts, values, strict=True)]))
    return SortableTable(columns, comparison.name)


def _growth(summary: Mapping[str, Any]) -> list[Part]:
    about = array(summary["config"])
    return [
        Picture(
            f"growth-{place}-{resource}", f"{RESOURCES[resource]}, {one.title}",
            "A point is a circuit; the paper's are those of its tables.",
            named(growth_chart(one, resource), about),
        )
        for place, one in enumerate(comparisons(summary["circuits"]))
        if one.by is not None
        for resource in _DRAWN
    ]  # fmt: skip


def _components(summary: Mapping[str, Any]) -> list[Part]:
    if not summary["circuits"]:
        return []
    note = "Each component without those below it: a PE set without its PEs."
    parts: list[Part] = [
        Picture(
            f"components-{resource}", f"{RESOURCES[resource]} by component", note,
            named(component_chart(summary["circuits"], resource), array(summary["config"])),
        )
        for resource in _DRAWN
    ]  # fmt: skip
    return [*parts, _component_table(summary)]


def _component_table(summary: Mapping[str, Any]) -> SortableTable:
    rows = component_rows(summary["circuits"])
    columns = [
        words("design", rows["design"]),
        words("component", rows["component"]),
        numbers("instances", rows["instances"], "{:,}".format),
        *(numbers(name, rows[one], "{:,.10g}".format) for one, name in RESOURCES.items()),
    ]
    return SortableTable(columns, "All components")


def _laws(summary: Mapping[str, Any]) -> list[Part]:
    found = laws(summary["circuits"], summary["config"])
    if not found:
        return [Paragraph("Without the baseline nothing can be said of what MERCURY adds.")]
    columns = [
        words("what", [one.what for one in found]),
        numbers("ours", [one.ours for one in found], "{:,.4g}".format),
        numbers("paper", [one.paper for one in found], _known),
        words("why", [one.why for one in found]),
    ]  # fmt: skip
    return [SortableTable(columns)]


def _known(value: float | None) -> str:
    return formats.MISSING if value is None else f"{value:,.4g}"


_METHODS = [
    (
        "Ours",
        "Amaranth's circuits (docs/hardware.md) through Yosys' synth_xilinx for xc7, hierarchy kept, so that "
        "equal components stay apart: LUTs of up to 6 inputs, flip-flops, RAMB36 (a RAMB18 is half of one) "
        "and DSP48E1. Nothing is placed or routed.",
    ),
    (
        "Logic depth",
        "LUTs and carries on the longest path between registers. It says which circuit is slower; it is no "
        "frequency.",
    ),
    (
        "Paper",
        f"Its Tables II to IV (a), by Vivado for a Virtex 7; the largest MCACHE: {LARGEST.name}. Registers "
        "and DSPs count the same things as ours; Vivado puts two small LUTs into one where Yosys doesn't.",
    ),
    ("Growth", "A row over the row before it, less one."),
]
