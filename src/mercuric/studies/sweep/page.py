"""How does a sweep become a table and a page?"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.found_with import found_with, normalised
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Paragraph, Part, Section
from mercuric.studies.sweep.charts import (
    field_text,
    front_chart,
    grid_chart,
    label,
    layer_chart,
    line_chart,
    split_chart,
)
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import RESULTS, combination_totals, normalisations, read_part
from mercuric.subjects.config import shown_name
from mercuric.trace.normalisation import SHOWN, Normalisation

_MOST_PICTURES = 24
_WAITS = "waits: of each design's, for DRAM or link; "
_TIMINGS = ("paper", "fair")
_SPENT_NOTE = "energy and energy x delay over the baseline's, paper timing, * the least of a network; "
_SPENT = ("energy", "energy x delay", "mm2")


def sweep_table(
    totals: pd.DataFrame, config: SweepConfig, normalisation: Mapping[str, Normalisation]
) -> Table:
    """A network and combination a row: hits and the speed-up in both timings, red where it loses."""
    waits = "paper_wait" in totals
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=Text(
            f"stalls: of MERCURY's cycles; {_WAITS if waits else ''}"
            "paper, fair: speed-up in that timing, in brackets with the layers "
            f"off that lose (III-D); {_SPENT_NOTE if config.energy else ''}"
            f"{found_with(config.found_with())}; "
            f"{normalisation_text(normalisation, normalised)}"
        ),
    )
    fields = list(config.vary)
    table.add_column("network", no_wrap=True)
    table.add_column("combination")
    for name in (
        "hits",
        "stalls",
        *(["dense waits", "waits"] if waits else []),
        *_TIMINGS,
        *(_SPENT if config.energy else ()),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    best: Mapping[Any, float] = {}
    if config.energy:
        best = totals.groupby("model")["paper_energy_delay"].min().to_dict()
    for _, row in totals.iterrows():
        whole = sum(row.get(f"paper_{part}", 0) for part in ("product", "signature", "stall", "wait"))
        table.add_row(
            str(row["model"]),
            label(row, fields),
            formats.percent(row["hit_rate"]),
            formats.percent(row["paper_stall"] / whole if whole else 0.0),
            *(
                [_share(row, "baseline_wait", row["paper_baseline"]), _share(row, "wait", whole)]
                if waits
                else []
            ),
            *(_speedup(row, timing) for timing in _TIMINGS),
            *(_spent(row, best[row["model"]]) if config.energy else ()),
        )
    return table


def _spent(row: "pd.Series[Any]", best: float) -> list[str]:
    """Energy and energy times delay over the baseline's, the least of a network with a star, and the area."""
    delay = row["paper_energy_delay"]
    star = " *" if delay == best else ""
    area = "" if pd.isna(row["area"]) else f"{row['area']:.2f}"
    return [formats.percent(row["paper_energy"]), f"{delay:.3f}{star}", area]


def _share(row: "pd.Series[Any]", part: str, whole: float) -> str:
    return formats.percent(row[f"paper_{part}"] / whole if whole else 0.0)


def _speedup(row: "pd.Series[Any]", timing: str) -> Text:
    ratio, adapted = row[f"{timing}_speedup"], row[f"{timing}_adapted"]
    return Text(f"{formats.ratio(ratio)} ({formats.ratio(adapted)})", style="red" if ratio < 1 else "")


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``sweep.parquet``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    described = read_json_object(folder / "sweep.json")
    config = SweepConfig(**described["config"])
    results = read_part(folder / RESULTS)
    return write(_page(results, config, described["machine"], command), folder)


def _page(results: pd.DataFrame, config: SweepConfig, machine: dict[str, Any], command: str) -> Page:
    fields = list(config.vary)
    totals = combination_totals(results, fields)
    models = formats.listing(list(config.models))
    best = totals.iloc[int(totals["paper_speedup"].argmax())]
    worst = totals.iloc[int(totals["paper_speedup"].argmin())]
    products = "the forward product" if config.inference else "the three products of training"
    return Page(
        title=f"{models}: Mercuric sweep",
        kicker="sweep",
        subject=f"{models} on {_data(config)}, weights: {config.weights}",
        headline=f"From {formats.ratio(worst['paper_speedup'])} to {formats.ratio(best['paper_speedup'])}: "
        f"what {formats.listing([name.replace('_', ' ') for name in fields])} do to MERCURY.",
        lead=f"Speed-up over the same array without reuse, {products}, "
        f"{formats.number_of(len(totals), 'combination')}. The most in paper timing: {best['model']} with "
        f"{label(best, fields)}; the least: {worst['model']} with {label(worst, fields)}.",
        cards=[_card(totals, timing) for timing in _TIMINGS],
        sections=_sections(results, totals, config),
        methods=_methods(config, results),
        machine=machine_facts(machine),
        command=command,
    )


def _card(totals: pd.DataFrame, timing: str) -> Card:
    best = totals[f"{timing}_speedup"].max()
    faster = int((totals[f"{timing}_speedup"] > 1).sum())
    return Card(f"Most, {timing} timing", formats.ratio(best), f"{faster} of {len(totals)} faster than dense")


def _sections(results: pd.DataFrame, totals: pd.DataFrame, config: SweepConfig) -> list[Section]:
    fields = list(config.vary)
    splits = [
        Picture(
            f"split-{timing}", f"Where MERCURY's cycles go, {timing} timing",
            "All layers, over the baseline's cycles: under the dashed line MERCURY is faster.",
            split_chart(totals, fields, timing),
        )
        for timing in _TIMINGS
    ]  # fmt: skip
    layers = [
        Picture(
            f"layers-{shown_name(model)}", f"{model}, layer by layer",
            "Speed-up of each layer in paper timing: blue is faster than dense, red slower.",
            layer_chart(results[results["model"] == model], fields, "paper"),
        )
        for model in config.models
    ]  # fmt: skip
    spent = [Section("front", "Speed-up, energy, area", _fronts(totals, fields))] if config.energy else []
    return [
        Section("speedups", "Speed-up by combination", _speedups(totals, fields)),
        *spent,
        Section("split", "Products, signatures, stalls", splits),
        Section("layers", "Layer by layer", layers),
    ]


def _speedups(totals: pd.DataFrame, fields: list[str]) -> list[Part]:
    if len(fields) < 2:
        title = f"Speed-up against {fields[0].replace('_', ' ')}" if fields else "Speed-up"
        chart = line_chart(totals, fields[0] if fields else "model")
        return [Picture("line", title, "Solid: paper timing; dotted: fair.", chart)]
    *others, down, across = fields
    note = f"Speed-up at each {down.replace('_', ' ')} and {across.replace('_', ' ')} (as Fig. 16)."
    pictures: list[Part] = []
    for keys, rows in totals.groupby(["model", *others], sort=False, dropna=False):
        where = ", ".join([str(keys[0]), *_named(others, keys[1:])])
        for timing in _TIMINGS:
            chart = grid_chart(rows, down, across, timing)
            pictures.append(Picture(f"grid-{len(pictures)}", f"{where}, {timing} timing", note, chart))
    left_out = len(pictures) - _MOST_PICTURES
    more: list[Part] = [Paragraph(f"{left_out} more are in sweep.parquet.")] if left_out > 0 else []
    return [*pictures[:_MOST_PICTURES], *more]


def _fronts(totals: pd.DataFrame, fields: list[str]) -> list[Part]:
    said = f"Each line joins the values of {fields[-1].replace('_', ' ')}: down and to the right is better."
    fronts: list[Part] = [
        Picture(
            f"front-{timing}", f"Energy against speed-up, {timing} timing",
            f"MERCURY's energy over the baseline's of the same timing. {said}",
            front_chart(totals, fields, timing, f"{timing}_energy", "energy over the baseline's"),
        )
        for timing in _TIMINGS
    ]  # fmt: skip
    if totals["area"].notna().all():
        chart = front_chart(totals, fields, "paper", "area", "chip, mm2")
        fronts.append(Picture("front-area", "Area against speed-up, paper timing", f"45 nm. {said}", chart))
    best = totals.loc[totals.groupby("model", sort=False)["paper_energy_delay"].idxmin()]
    words = [
        f"{row['model']} with {label(row, fields)} ({row['paper_energy_delay']:.2f})"
        for _, row in best.iterrows()
    ]
    return [
        *fronts,
        Paragraph(
            "Least energy times delay over the baseline's, paper timing: " + formats.listing(words) + "."
        ),
    ]


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
