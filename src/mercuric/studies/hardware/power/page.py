"""How does power become a page, beside the paper's Tables II(b) to IV(b)?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.accelerator.energy.virtex7 import DESIGNS
from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, figure, named
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Paragraph, Section
from mercuric.page.table import SortableTable, numbers, words
from mercuric.studies.hardware.power.summary import SUMMARY
from mercuric.studies.hardware.power.verdicts import FAILS, HOLDS, UNKNOWN
from mercuric.studies.hardware.power.watts import KINDS

_COLOURS = dict(
    zip(KINDS, (chart.DENSE, chart.MERCURY, chart.ZERO_HIT, chart.MAU, chart.SIGNATURE), strict=True)
)


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``power.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    return write(_page(read_json_object(folder / SUMMARY), command), folder)


def answer(summary: Mapping[str, Any]) -> str:
    """How the verdicts fell, in one sentence."""
    said = [one["said"] for one in summary["verdicts"]]
    counts = [f"{said.count(one)} {plural}" for one, plural in _SAID.items() if one in said]
    if not counts:
        return "No claim about power is of the designs that were run."
    return f"Of {len(said)} claims about power, {formats.listing(counts)}."


def subject(summary: Mapping[str, Any]) -> str:
    """What was run, and what is told."""
    config = summary["config"]
    windows = f"windows of the photograph {summary['photograph']}"
    pes = config["pe_rows"] * config["pe_columns"]
    return (
        f"{windows if config['windows'] == 'photograph' else 'drawn windows'}, {config['bits']} bits, "
        f"{summary['filters']} filters; {pes} PEs run, {3 * summary['pe_sets']} told, "
        f"{summary['megahertz']:g} MHz"
    )


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """Designs and verdicts, for a terminal."""
    designs = _terminal(
        "dynamic power in mW by kind; the total at the paper's scale and the paper's in W", subject(summary),
        ["design", "results", *KINDS, "all", "over baseline", "as printed", "paper"],
    )  # fmt: skip
    for row in summary["designs"]:
        designs.add_row(
            row["design"], row["results"], *(_milliwatts(row[kind]) for kind in (*KINDS, "dynamic")),
            formats.ratio(row["ratio"]), f"{row['printed']:.3f}", _watts(row["paper"]),
        )  # fmt: skip
    claims = _terminal("", "claims", ["claim", "paper's tables", "ours", "verdict"])
    for one in summary["verdicts"]:
        claims.add_row(one["claim"], formats.percent(one["paper"], 2), _range(one), one["said"])
    return [designs, claims]


def _terminal(caption: str, title: str, heads: list[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=Text(title), caption=Text(caption))
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _page(summary: Mapping[str, Any], command: str) -> Page:
    return Page(
        title="Tables II(b) to IV(b): Mercuric power",
        kicker="hardware",
        subject=subject(summary),
        headline=answer(summary),
        lead="Flips and operations counted in Amaranth's simulator, times cited energies at 45 nm. The "
        "paper's figures are Vivado's for a Virtex 7, of circuits and activities that aren't published: "
        "growth compares, watts don't.",
        cards=[
            Card(one["claim"], _range(one), f"paper {formats.percent(one['paper'], 2)}: {one['said']}")
            for one in summary["verdicts"][:4]
        ],
        sections=[
            Section("verdicts", "What the paper claims", [_verdicts(summary)]),
            Section("power", "Power by kind", [_picture(summary), _designs(summary)]),
            Section(
                "fit", "The paper's eight rows, in sample",
                [Paragraph(_FIT), _fits(summary), _residuals(summary)],
            ),
        ],
        methods=_METHODS,
        machine=machine_facts(summary["machine"]),
        command=command,
    )  # fmt: skip


def _verdicts(summary: Mapping[str, Any]) -> SortableTable:
    found = summary["verdicts"]
    return SortableTable(
        [
            words("claim", [one["claim"] for one in found]),
            numbers(
                "paper's tables", [one["paper"] for one in found], lambda value: formats.percent(value, 2)
            ),
            words("ours", [_range(one) for one in found], "the least and the most of six variants"),
            words("verdict", [one["said"] for one in found]),
            words("why", [one["why"] for one in found]),
        ]
    )


def _designs(summary: Mapping[str, Any]) -> SortableTable:
    rows = summary["designs"]

    def column(key: str) -> list[Any]:
        return [row[key] for row in rows]

    kinds = [numbers(f"{kind}, mW", column(kind), _milliwatts) for kind in (*KINDS, "dynamic")]
    return SortableTable(
        [
            words("design", column("design")),
            words("results in", column("results")),
            numbers("flip-flops", column("flip_flops"), "{:,.0f}".format),
            *kinds,
            numbers("over baseline", column("ratio"), formats.ratio),
            numbers("as printed, W", column("printed"), "{:.3f}".format, "at the paper's scale"),
            numbers("paper, W", column("paper"), _watts),
            numbers("layer, cycles", column("cycles"), "{:,.0f}".format),
            numbers("layer, uJ", column("microjoules"), "{:.2f}".format),
        ]
    )


def _picture(summary: Mapping[str, Any]) -> Picture:
    drawn = figure(420, "", "mW")
    rows = [row for row in summary["designs"] if row["results"] == "registers"]
    for kind in KINDS:
        drawn.add_trace(
            go.Bar(
                x=[row["design"] for row in rows], y=[1000 * row[kind] for row in rows], name=kind,
                marker_color=_COLOURS[kind],
            )
        )  # fmt: skip
    drawn.update_layout(barmode="stack")
    note = "Dynamic power with results in registers. Leakage and the global buffer are not in it."
    return Picture("power", "Where the power goes", note, named(drawn, subject(summary)))


def _fits(summary: Mapping[str, Any]) -> SortableTable:
    found = summary["fits"]
    columns = [words("total =", [one["form"] for one in found])]
    columns.append(words("coefficients, W", [one["coefficients"] for one in found]))
    for key, head in _FIT_HEADS.items():
        columns.append(numbers(head, [one[key] for one in found], "{:.1f}".format))
    return SortableTable(columns)


def _residuals(summary: Mapping[str, Any]) -> SortableTable:
    columns = [words("design", [one.name for one in DESIGNS])]
    columns.append(
        numbers("not listed, mW", [1000 * one for one in summary["unlisted_watts"]], "{:.0f}".format)
    )
    for form, left in summary["residuals_mw"].items():
        columns.append(numbers(form, left, "{:+.1f}".format, "paper less fit, mW"))
    return SortableTable(columns, "Residuals, mW")


def _range(one: Mapping[str, Any]) -> str:
    return f"{formats.percent(one['low'])} to {formats.percent(one['high'])}"


def _milliwatts(value: float) -> str:
    return f"{1000 * value:.1f}"


def _watts(value: float | None) -> str:
    return formats.MISSING if value is None else f"{value:.3f}"


_SAID = {HOLDS: "hold", FAILS: "do not hold", UNKNOWN: "can't be told"}
_FIT_HEADS = {
    "rms_mw": "left, mW",
    "largest_mw": "at most, mW",
    "left_out_rms_mw": "left of a row left out, mW",
    "left_out_largest_mw": "at most, mW ",
}
_FIT = (
    "Least squares over the totals of Tables II(b) to IV(b), baseline included: in sample, eight rows for "
    "two to four coefficients. A row left out is told by the fit to the other seven. The columns add up to "
    "0.105 to 0.107 W less than the total in every row: a part that the paper doesn't list. Signals "
    "fall from 16 to 32 sets and from 4 to 8 ways, and block RAM goes up and down at the same number of "
    "blocks, so single doublings are within the tables' noise."
)
_METHODS = [
    (
        "flips",
        "Bits of named signals whose value differs from a cycle to the next. There are no delays, so no "
        "glitches; nets within an expression, as a comparator's, have no names.",
    ),
    (
        "kinds",
        "Clocks: flip-flops x cycles. Logic: flips of registers and of computed bits, comparators. Signals: "
        "every branch of a net that flips. Memory: words of input buffers, signatures, results. DSP: "
        "multiplications, additions.",
    ),
    (
        "scale",
        "The chip has 56 PE sets; fewer are run. What a PE set does all do; what they share, they use by as "
        "many more.",
    ),
    (
        "variants",
        "Results in registers or a memory; as printed by the whole, with wires of 0, 50 and 500 um, or by "
        "kind. A growth holds where all give from half of the paper's to twice as much, and doesn't where "
        "none does.",
    ),
    (
        "as printed",
        "What MERCURY takes more is put on the paper's 1.703 W, of which only the baseline's row is used. By "
        "kind: a flip-flop's clock at the paper's clocks over its registers; logic, signals and DSPs as the "
        "paper's of the baseline to ours; memory not at all. By the whole: one factor for all.",
    ),
]
