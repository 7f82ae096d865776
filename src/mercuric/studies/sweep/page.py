"""How does a sweep become a table and a page?"""

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.cards import Card, card_elements
from mercuric.page.chart import figure_element
from mercuric.page.document import definitions, section, write_page
from mercuric.page.found_with import found_with, normalised
from mercuric.page.machine import machine_facts
from mercuric.page.markup import unbroken
from mercuric.studies.sweep.charts import field_text, grid_chart, label, layer_chart, line_chart, split_chart
from mercuric.studies.sweep.study import RESULTS, SweepConfig, combination_totals, normalisations
from mercuric.trace.normalisation import SHOWN, Normalisation

_MOST_PICTURES = 24
_TIMINGS = ("paper", "fair")


def sweep_table(
    totals: pd.DataFrame, config: SweepConfig, normalisation: Mapping[str, Normalisation]
) -> Table:
    """A network and combination a row: hits and the speed-up in both timings, red where it loses."""
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=Text(
            "stalls: of MERCURY's cycles; paper, fair: speed-up in that timing, in brackets with the layers "
            f"off that lose (III-D); {found_with(config.found_with())}; "
            f"{normalisation_text(normalisation, normalised)}"
        ),
    )
    fields = list(config.vary)
    table.add_column("network", no_wrap=True)
    table.add_column("combination")
    for name in ("hits", "stalls", *_TIMINGS):
        table.add_column(name, justify="right", no_wrap=True)
    for _, row in totals.iterrows():
        whole = sum(row[f"paper_{part}"] for part in ("product", "signature", "stall"))
        table.add_row(
            str(row["model"]),
            label(row, fields),
            formats.percent(row["hit_rate"]),
            formats.percent(row["paper_stall"] / whole if whole else 0.0),
            *(_speedup(row, timing) for timing in _TIMINGS),
        )
    return table


def _speedup(row: "pd.Series[Any]", timing: str) -> Text:
    ratio, adapted = row[f"{timing}_speedup"], row[f"{timing}_adapted"]
    return Text(f"{formats.ratio(ratio)} ({formats.ratio(adapted)})", style="red" if ratio < 1 else "")


def write_sweep_report(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``sweep.parquet``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    described = read_json_object(folder / "sweep.json")
    config = SweepConfig(**described["config"])
    results = pd.read_parquet(folder / RESULTS)
    target = folder / "report.html"
    write_page(target, "study.html", **_parts(results, config, described["machine"], command))
    return target


def _parts(
    results: pd.DataFrame, config: SweepConfig, machine: dict[str, Any], command: str
) -> dict[str, str]:
    fields = list(config.vary)
    totals = combination_totals(results, fields)
    models = formats.listing(list(config.models))
    best = totals.iloc[int(totals["paper_speedup"].argmax())]
    worst = totals.iloc[int(totals["paper_speedup"].argmin())]
    products = "the forward product" if config.inference else "the three products of training"
    return {
        "title": html.escape(f"{models}: Mercuric sweep"),
        "kicker": "sweep",
        "subject": html.escape(f"{models} on {_data(config)}, weights: {config.weights}"),
        "headline": unbroken(
            f"From {formats.ratio(worst['paper_speedup'])} to {formats.ratio(best['paper_speedup'])}: what "
            f"{formats.listing([name.replace('_', ' ') for name in fields])} do to MERCURY."
        ),
        "lead": unbroken(
            f"Speed-up over the same array without reuse, {products}, "
            f"{formats.number_of(len(totals), 'combination')}. The most in paper timing: {best['model']} "
            f"with {label(best, fields)}; the least: {worst['model']} with {label(worst, fields)}."
        ),
        "cards": card_elements([_card(totals, timing) for timing in _TIMINGS]),
        "sections": _sections(results, totals, config),
        "methods": definitions(_methods(config, results)),
        "machine": definitions(machine_facts(machine)),
        "command": html.escape(command),
    }


def _card(totals: pd.DataFrame, timing: str) -> Card:
    best = totals[f"{timing}_speedup"].max()
    faster = int((totals[f"{timing}_speedup"] > 1).sum())
    return Card(f"Most, {timing} timing", formats.ratio(best), f"{faster} of {len(totals)} faster than dense")


def _sections(results: pd.DataFrame, totals: pd.DataFrame, config: SweepConfig) -> str:
    fields = list(config.vary)
    parts = [section("speedups", "Speed-up by combination", _speedups(totals, fields))]
    splits = [
        figure_element(
            f"split-{timing}", f"Where MERCURY's cycles go, {timing} timing",
            "All layers, over the baseline's cycles: under the dashed line MERCURY is faster.",
            split_chart(totals, fields, timing),
        )
        for timing in _TIMINGS
    ]  # fmt: skip
    parts.append(section("split", "Products, signatures, stalls", "".join(splits)))
    layers = [
        figure_element(
            f"layers-{model}", f"{model}, layer by layer",
            "Speed-up of each layer in paper timing: blue is faster than dense, red slower.",
            layer_chart(results[results["model"] == model], fields, "paper"),
        )
        for model in config.models
    ]  # fmt: skip
    parts.append(section("layers", "Layer by layer", "".join(layers)))
    return "\n".join(parts)


def _speedups(totals: pd.DataFrame, fields: list[str]) -> str:
    if len(fields) < 2:
        return figure_element(
            "line", f"Speed-up against {fields[0].replace('_', ' ')}" if fields else "Speed-up",
            "Solid: paper timing; dotted: fair.",
            line_chart(totals, fields[0] if fields else "model"),
        )  # fmt: skip
    *others, down, across = fields
    pictures: list[str] = []
    for keys, rows in totals.groupby(["model", *others], sort=False, dropna=False):
        for timing in _TIMINGS:
            where = ", ".join([str(keys[0]), *_named(others, keys[1:])])
            pictures.append(
                figure_element(
                    f"grid-{len(pictures)}", f"{where}, {timing} timing",
                    f"Speed-up at each {down.replace('_', ' ')} and {across.replace('_', ' ')} (as Fig. 16).",
                    grid_chart(rows, down, across, timing),
                )
            )  # fmt: skip
    left_out = len(pictures) - _MOST_PICTURES
    note = f"<p>{left_out} more are in sweep.parquet.</p>" if left_out > 0 else ""
    return "".join(pictures[:_MOST_PICTURES]) + note


def _data(config: SweepConfig) -> str:
    read = dict.fromkeys(config.subject_of(model).data for model in config.models)
    return formats.listing(list(read))


def _named(fields: list[str], values: tuple[object, ...]) -> list[str]:
    return [f"{name.replace('_', ' ')} {field_text(one)}" for name, one in zip(fields, values, strict=True)]


def normalisation_text(
    found: Mapping[str, Normalisation], say: Callable[[Normalisation], str] = lambda by: SHOWN[by]
) -> str:
    """By which statistics the networks normalised, each said once."""
    said = {by: [name for name, its in found.items() if its == by] for by in dict.fromkeys(found.values())}
    if len(said) == 1:
        return say(next(iter(said)))
    return "; ".join(f"{formats.listing(names)}: {say(by)}" for by, names in said.items())


def _methods(config: SweepConfig, results: pd.DataFrame) -> list[tuple[str, str]]:
    return [
        ("Weights", f"{config.weights}; similarity depends on them."),
        (
            "Data",
            f"The first {formats.number_of(config.images, 'example')} of {_data(config)}"
            + (f" at {config.image_size} x {config.image_size} pixels." if config.image_size else "."),
        ),
        (
            "Hitmaps",
            "Each MCACHE organisation runs the network with its own Hitmaps: "
            f"{found_with(config.found_with())}. Every other field counts the same ones.",
        ),
        ("Normalisation", f"{normalisation_text(normalisations(results))}.".capitalize()),
        (
            "Timings",
            "paper: the baseline as the paper has it; fair: the strongest dense schedule of the same array "
            "(docs/cycle-model.md, docs/systolic-arrays.md).",
        ),
        ("Accelerator", f"{config.accelerator}, but for the fields that vary."),
    ]
