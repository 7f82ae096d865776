"""How does an evaluation become one page?"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from mercuric.accelerator import Accelerator
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.area import AREA_45NM, MERCURY_PARTS
from mercuric.accelerator.energy.roofline import edge_words
from mercuric.accelerator.energy.virtex7 import BASELINE, LARGEST, RESOURCES
from mercuric.page import formats
from mercuric.page.chart import Picture, named
from mercuric.page.found_with import mcache, signatures
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Part, Section
from mercuric.studies.evaluate.charts import area_chart, batch_chart, layer_chart, level_chart, trade_chart
from mercuric.studies.evaluate.figures import energy, saved
from mercuric.studies.evaluate.folder import read_evaluation
from mercuric.studies.evaluate.roofline_chart import roofline_chart
from mercuric.studies.evaluate.study import Evaluation
from mercuric.studies.evaluate.tables import (
    added_area,
    area_table,
    bound_table,
    energy_costs,
    engine_table,
    fpga_table,
    layer_table,
    total_table,
)
from mercuric.trace.normalisation import SHOWN


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside the evaluation that it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    evaluation = read_evaluation(folder)
    described = evaluation.described
    page = Page(
        title=f"{described['model']}: energy and latency, Mercuric",
        kicker="energy, latency and area",
        subject=f"{described['model']}, {described['weights']}",
        headline=_headline(evaluation),
        lead=_lead(evaluation),
        cards=_cards(evaluation),
        sections=_sections(evaluation),
        methods=[*_methods(evaluation), *energy_costs(evaluation)],
        machine=machine_facts(described["machine"]),
        command=command,
    )
    return write(page, folder)


def _best(evaluation: Evaluation, column: str) -> "pd.Series[float]":
    """The row of the first batch that has the least of it."""
    totals = evaluation.totals()
    first = totals[totals["batch"] == evaluation.config.batches[0]].reset_index(drop=True)
    return first.iloc[int(first[column].argmin())]


def _of(evaluation: Evaluation, accelerator: str, batch: int, design: str) -> "pd.Series[float]":
    totals = evaluation.totals()
    chosen = (totals["accelerator"] == accelerator) & (totals["batch"] == batch)
    return totals[chosen & (totals["design"] == design)].iloc[0]


def _headline(evaluation: Evaluation) -> str:
    best = _best(evaluation, "energy")
    name, batch = str(best["accelerator"]), int(best["batch"])
    said = (
        f"{evaluation.described['model']} takes least energy on {name}: "
        f"{energy(best['energy'] / batch, evaluation.unit)} an image"
    )
    if evaluation.config.dense:
        return f"{said}."
    dense, mercury = (_of(evaluation, name, batch, design) for design in evaluation.designs)
    what = "saves" if mercury["energy"] < dense["energy"] else "adds"
    share = formats.percent(abs(1 - mercury["energy"] / dense["energy"]))
    return (
        f"{said}. There MERCURY {what} {share} of the energy, at a speed-up of "
        f"{formats.ratio(_speedup(dense, mercury))}."
    )


def _speedup(dense: "pd.Series[float]", mercury: "pd.Series[float]") -> float:
    return float(dense["latency"] / mercury["latency"]) if mercury["latency"] else 1.0


def _lead(evaluation: Evaluation) -> str:
    config, described = evaluation.config, evaluation.described
    batches = formats.listing([str(batch) for batch in config.batches])
    products = "inference" if config.inference else "training (forward, dO and dW)"
    return (
        f"{formats.size(described, '{0} x {0} pixels')} of {config.data}, {products}, batches "
        f"of {batches}; {_timing(evaluation)}. Dynamic energy of operations and memory accesses, by closed "
        "forms of each dataflow's reuse; no leakage, no control, no clock tree."
    )


def _timing(evaluation: Evaluation) -> str:
    if evaluation.config.timing == "fair":
        return "the baseline is the strongest dense array (fair timing)"
    return "the baseline works channel by channel as MERCURY does (paper timing)"


def _cards(evaluation: Evaluation) -> list[Card]:
    cards = []
    batch = evaluation.config.batches[0]
    for accelerator in evaluation.accelerators:
        dense = _of(evaluation, accelerator.name, batch, "baseline")
        shown, beside, bad = dense, "dense", False
        if not evaluation.config.dense:
            shown = _of(evaluation, accelerator.name, batch, "mercury")
            share = saved(dense["energy"], shown["energy"])
            speedup = _speedup(dense, shown)
            beside = f"with MERCURY; saved {share}, speed-up {formats.ratio(speedup)}"
            bad = bool(shown["energy"] > dense["energy"]) or round(speedup, 2) < 1
        value = energy(shown["energy"] / batch, evaluation.unit)
        cards.append(Card(f"{accelerator.name}, an image", value, beside, bad))
    return cards


def _sections(evaluation: Evaluation) -> list[Section]:
    parts = [_levels(evaluation), _trade(evaluation)]
    if len(evaluation.config.batches) > 1:
        parts.append(_batches(evaluation))
    parts += [_roofline(evaluation), _layers(evaluation)]
    if evaluation.areas:
        parts.append(_area(evaluation))
    if len(evaluation.engine):
        title = f"What {evaluation.config.engine} says"
        parts.append(Section("engine", title, [engine_table(evaluation)]))
    return parts


def _levels(evaluation: Evaluation) -> Section:
    note = (
        "A bar is one image of a batch; a colour is a level of the memory hierarchy. MERCURY's own "
        "structures are the last four."
    )
    chart = _named(level_chart(evaluation.totals(), evaluation.unit), evaluation)
    picture = Picture("levels", "Energy by level", note, chart)
    return Section("energy", "Where the energy goes", [picture, total_table(evaluation)])


def _trade(evaluation: Evaluation) -> Section:
    note = "Down and left is better. Open marks are dense, filled ones MERCURY; a point a batch."
    chart = _named(trade_chart(evaluation.totals(), evaluation.unit), evaluation)
    return Section("trade", "Energy against latency", [Picture("trade-off", "An image", note, chart)])


def _batches(evaluation: Evaluation) -> Section:
    totals = evaluation.totals()
    note = "What a batch shares (filters that are loaded once) shows as a falling line."
    energies = _named(batch_chart(totals, "energy", f"energy of one image ({evaluation.unit})"), evaluation)
    times = _named(batch_chart(totals, "latency", "latency of one image (clock cycles)"), evaluation)
    pictures = [
        Picture("batch-energy", "Energy by batch", note, energies),
        Picture("batch-latency", "Latency by batch", "Dashed is dense.", times),
    ]
    return Section("batches", "What a larger batch shares", pictures)


def _roofline(evaluation: Evaluation) -> Section:
    parts: list[Part] = []
    for place, accelerator in enumerate(evaluation.accelerators):
        rows = _first_batch(evaluation, accelerator)
        chart = _named(roofline_chart(rows, accelerator), evaluation)
        heading = f"{accelerator.name}: MACs a cycle by MACs a byte"
        parts.append(Picture(f"roofline-{place}", heading, _limits(evaluation, accelerator), chart))
    return Section("roofline", "What limits the layers", [*parts, bound_table(evaluation)])


def _limits(evaluation: Evaluation, accelerator: Accelerator) -> str:
    said = (
        f"A mark is a layer on the batch of {evaluation.config.batches[0]}, all its products. Lines are what "
        "the PEs and the DRAM allow; a small dash is what the array's edge allows a dense layer "
        f"({edge_words(accelerator)} words a cycle from and to the buffer)."
    )
    if evaluation.config.dense:
        return said
    return f"{said} MERCURY is credited with the dense layer's MACs, so it may rise above the PEs' line."


def _first_batch(evaluation: Evaluation, accelerator: Accelerator) -> pd.DataFrame:
    """Layers on one accelerator, in the leading timing."""
    layers = evaluation.layers
    chosen = (layers["timing"] == evaluation.config.timing) & (layers["accelerator"] == accelerator.name)
    return layers[chosen & (layers["batch"] == evaluation.config.batches[0])]


def _layers(evaluation: Evaluation) -> Section:
    batch = evaluation.config.batches[0]
    parts: list[Part] = []
    for place, accelerator in enumerate(evaluation.accelerators):
        rows = _first_batch(evaluation, accelerator)
        note = f"The whole batch of {batch}."
        for column, title in (
            ("energy", f"energy ({evaluation.unit})"),
            ("latency", "latency (clock cycles)"),
        ):
            chart = _named(layer_chart(rows, column, title), evaluation)
            heading = f"{accelerator.name}: {column} by layer"
            parts.append(Picture(f"layers-{column}-{place}", heading, note, chart))
    return Section("layers", "Layer by layer", [*parts, layer_table(evaluation)])


def _area(evaluation: Evaluation) -> Section:
    added = dict.fromkeys(formats.percent(added_area(area)) for area in evaluation.areas.values())
    note = (
        f"{AREA_45NM.node_nm:g} nm; greys are the dense array, colours what MERCURY adds: "
        f"{formats.listing(list(added))}. {_fpga()}"
    )
    picture = Picture("parts", "Area by part", note, area_chart(evaluation.areas, MERCURY_PARTS))
    return Section("area", "How large it is", [picture, area_table(evaluation.areas), fpga_table()])


def _fpga() -> str:
    more = [
        f"{formats.percent(LARGEST.resources[one] / BASELINE.resources[one] - 1, decimals=0)} more {name}"
        for one, name in RESOURCES.items()
    ]
    more.append(f"{formats.percent(LARGEST.total_watts / BASELINE.total_watts - 1)} more power")
    return f"On the paper's FPGA an MCACHE of {LARGEST.name} took {formats.listing(more)} (Table IV)."


def _methods(evaluation: Evaluation) -> list[tuple[str, str]]:
    config, reuse = evaluation.config, evaluation.reuse
    entries = [
        (
            "Energy",
            "Accesses of every level, counted by closed forms (docs/energy.md), times the table's costs. "
            "Each word that crosses between DRAM and buffer is one more access of the buffer.",
        ),
        (
            "Latency",
            "Of each product, the array's cycles (docs/cycle-model.md) or the DRAM's words over its words a "
            "cycle, whichever is more; the products run one after the other.",
        ),
        (
            "Bound",
            "Of a layer's products together: the array's cycles (compute), the DRAM's, or those in which the "
            "array's edge passes the words from and to the buffer (in a cycle one into each row, one into "
            "and one out of each column), whichever are most. The edge's cycles are no part of the latency"
            f"{_assumed(evaluation.accelerators)}.",
        ),
        ("Timing", f"Figures of both are in layers.csv; here {_timing(evaluation)}."),
    ]
    if not config.dense:
        caches = dict.fromkeys(f"{mcache(one)} ({one.name})" for one in evaluation.accelerators)
        entries.append(
            (
                "MERCURY",
                f"{signatures(evaluation.found_with())}, cleared for each {reuse.scope}; each accelerator's "
                f"own MCACHE: {formats.listing(list(caches))}. Hitmaps of the batch itself, and the saved "
                "ones serve the backward products (III-C2). Reuse is on in every layer that can.",
            )
        )
        entries.append(("Normalisation", f"{SHOWN[evaluation.described['normalisation']]}.".capitalize()))
    entries.append(("Area", f"{AREA_45NM.source}. Signature Table and Hitmap are as large as the largest "
                    "scope needs."))  # fmt: skip
    return entries


def _assumed(accelerators: Sequence[Accelerator]) -> str:
    clauses = dict.fromkeys(clause for one in accelerators for clause in dataflow_of(one).assumptions)
    return f": {formats.listing(list(clauses))}" if clauses else ""


def _named(chart: go.Figure, evaluation: Evaluation) -> go.Figure:
    described = evaluation.described
    return named(
        chart,
        f"{described['model']}, {described['weights']}; {formats.size(described)} of {described['data']}; "
        f"{evaluation.config.timing} timing",
    )
