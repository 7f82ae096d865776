"""How are a benchmark's tables printed and kept?"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import typer

from mercuric.config import Config
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.page.listeners import tell
from mercuric.page.parts import Section
from mercuric.page.table import SortableTable, words
from mercuric.studies.bench import table as tables
from mercuric.studies.machine import machine
from mercuric.studies.stored_command import store_command
from mercuric.terminal.console import output

Shown = tuple[str, pd.DataFrame, tables.Columns | None]
"""Title, figures, and columns; None for the columns of timed layers."""

_SPREAD = (
    "times: how much faster than the strongest dense form, median (first to third quartile) of rounds in "
    "turn; both: forward and backward"
)


def show_tables(
    context: typer.Context,
    name: str,
    config: Config,
    out: Path | None,
    as_json: bool,
    shown: dict[str, Shown],
    on_screen: Iterable[str] | None = None,
) -> None:
    """Print and write tables, of which a terminal gets those that ``on_screen`` names: all by default."""
    if out is not None:
        write_tables(context, name, config, out, shown)
    tell([_section(name, shown)])
    if as_json:
        typer.echo(_figures(config, shown))
        return
    for part, one in _filled(shown).items():
        if on_screen is not None and part not in on_screen:
            continue
        for title, table, columns in _split(one):
            output().print(tables.terminal_table(table, columns, title))
        if which := tables.strongest_dense(one[1]):
            typer.echo(which)
    typer.echo(_SPREAD)
    if out is not None:
        typer.echo(f"Figures: {out}")


def _section(name: str, shown: dict[str, Shown]) -> Section:
    """The tables as a page would have them, for who takes them from there."""
    found: list[SortableTable] = []
    for part, one in _filled(shown).items():
        for title, table, columns in _split(one):
            cells = [
                words(column.name, [column.text(row) for _, row in table.iterrows()]) for column in columns
            ]
            found.append(SortableTable(cells, title if len(_split(one)) > 1 else part))
    return Section(name, name, found)


def write_tables(
    context: typer.Context, name: str, config: Config, out: Path, shown: dict[str, Shown]
) -> None:
    """Write tables as CSV and Markdown, and all of them with the configuration and the machine as JSON."""
    store_command(out, context, more=True)
    for part, one in _filled(shown).items():
        write_text(out / f"{name}-{part}.csv", one[1].to_csv(index=False))
        parts = [f"{title}\n\n{tables.markdown(table, columns)}" for title, table, columns in _split(one)]
        which = tables.strongest_dense(one[1])
        write_text(out / f"{name}-{part}.md", "\n".join([*parts, which] if which else parts))
    write_text(out / f"{name}.json", _figures(config, shown))


def _figures(config: Config, shown: dict[str, Shown]) -> str:
    rows = {part: records(table) for part, (_, table, _) in shown.items()}
    return json_text({"config": config.model_dump(mode="json"), "machine": machine(), **rows})


def _filled(shown: dict[str, Shown]) -> dict[str, Shown]:
    return {part: one for part, one in shown.items() if len(one[1])}


def _split(shown: Shown) -> list[tuple[str, pd.DataFrame, tables.Columns]]:
    """The tables of one part: timed layers have one for each thing they read."""
    title, table, columns = shown
    if columns is not None:
        return [(title, table, columns)]
    return [
        (f"{title}: {read}", rows, tables.layer_columns(rows))
        for read, rows in tables.layer_tables(table).items()
    ]
