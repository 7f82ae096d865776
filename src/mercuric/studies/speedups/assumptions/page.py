"""How does a folder of counted assumptions become a page? It opens with one picture, and the answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.found_with import found_with
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Paragraph, Section
from mercuric.page.table import SortableTable, words
from mercuric.studies.speedups.assumptions.charts import spread_chart
from mercuric.studies.speedups.assumptions.summary import SUMMARY
from mercuric.studies.speedups.assumptions.table import (
    answer,
    assumption_rows,
    caution,
    left_out_rows,
    move_rows,
    near_columns,
    near_rows,
    network_rows,
)
from mercuric.studies.speedups.study import PUBLISHED_MEAN
from mercuric.studies.speedups.table import Rows, markdown


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html``, and ``assumptions.md`` with its tables, beside the files that they show.

    Returns:
        the page's path.

    Raises:
        MercuricError: it can't be written.
    """
    summary = read_json_object(folder / SUMMARY)
    tables = {dataflow: pd.read_csv(folder / f"{dataflow}.csv") for dataflow in PUBLISHED_MEAN}
    shown = (near_columns, move_rows, network_rows, assumption_rows, left_out_rows)
    parts = [answer(summary), caution(summary), *(markdown(*rows(summary)) for rows in shown)]
    write_text(folder / "assumptions.md", "\n\n".join(parts))
    return write(_page(summary, tables, command), folder)


def _page(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], command: str) -> Page:
    config = summary["config"]
    models = formats.number_of(len(config["models"]), "network")
    return Page(
        title="Assumptions: Mercuric speed-ups",
        kicker="speed-ups",
        subject=f"{models}, {formats.number_of(config['images'], 'photograph')} at {config['image_size']} x "
        f"{config['image_size']}, weights: {config['weights']}",
        headline=answer(summary),
        lead=caution(summary),
        cards=[_card(summary, dataflow) for dataflow in PUBLISHED_MEAN],
        sections=_sections(summary, tables),
        methods=_methods(summary),
        machine=machine_facts(summary["machine"]),
        command=command,
    )


def _card(summary: Mapping[str, Any], dataflow: str) -> Card:
    own = formats.ratio(summary["own"][dataflow])
    paper = formats.ratio(PUBLISHED_MEAN[dataflow])
    nearest = formats.ratio(summary["best"][dataflow])
    return Card(f"{dataflow} stationary".capitalize(), own, f"our own; nearest {nearest}, paper {paper}")


def _sections(summary: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> list[Section]:
    picture = Picture(
        "spread", "Every reading of the text, beside the paper",
        "A dot is the mean of all networks under one combination of what says something of its dataflow.",
        spread_chart(tables, summary["best"], summary["own"]),
    )  # fmt: skip
    return [
        Section("picture", "Three means", [picture]),
        _section("near", "The nearest combinations", near_rows(summary, 60)),
        _section(
            "moves", "What moves what", move_rows(summary),
            "A mean with the value over the mean with our own, all other assumptions alike: the median over "
            "these others, and how far it reaches.",
        ),
        _section("networks", "Single networks", network_rows(summary)),
        _section("assumptions", "What the text leaves open", assumption_rows(summary)),
        _section(
            "left-out", "What means nothing", left_out_rows(summary),
            f"{summary['declared']:,} combinations are declared and {summary['counted']:,} counted.",
        ),
    ]  # fmt: skip


def _section(identity: str, title: str, rows: Rows, text: str = "") -> Section:
    heads, cells = rows
    if not cells:
        return Section(identity, title, [])
    columns = [words(head, [row[place] for row in cells]) for place, head in enumerate(heads)]
    return Section(identity, title, [*([Paragraph(text)] if text else []), SortableTable(columns)])


def _methods(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = [f"{formats.percent(rate)} ({by})" for by, rate in summary["hits"].items()]
    eleven = (
        "" if summary["whole"] else " These are not the paper's eleven image networks, and the means not its."
    )
    return [
        ("Combination", "One value of each assumption, for all three dataflows at once."),
        ("Mean", f"Arithmetic, over the networks; the paper's has its Transformer in it.{eleven}"),
        (
            "Counted",
            "A network runs once for each way to normalise; every array counts the same Hitmaps, and the "
            "rest are sums of these counts.",
        ),
        (
            "Held",
            "Random weights of one seed, four versions, signatures in raster order without queues, dO by the "
            "forward Hitmap. HITs that wait, and misses from a queue, are not among the values.",
        ),
        (
            "Hitmaps",
            f"{found_with(summary['reuse'])}. Mean share of HITs by normalisation: {formats.listing(said)}.",
        ),
    ]
