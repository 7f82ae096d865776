"""``mercuric hardware power``: what the circuits do on a layer, in watts, beside the paper's tables."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mercuric.errors import ArgumentError
from mercuric.studies.hardware import options as circuit_options
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def power(
    context: typer.Context,
    mcaches: Annotated[
        str | None, typer.Option(help="Sets x ways, as 16x16,64x8; by default the paper's seven.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows of the PE array that is run.")] = 12,
    columns: Annotated[int, typer.Option(help="Columns of it; 14 are told of.")] = 2,
    windows: Annotated[
        Literal["photograph", "drawn"], typer.Option(help="What is convolved; drawn windows are not alike.")
    ] = "photograph",
    side: Annotated[int, typer.Option(help="Side of the photograph's feature map.")] = 28,
    block: Annotated[int, typer.Option(help="Windows that a PE set has room for.")] = 14,
    bits: circuit_options.Bits = 20,
    ports: circuit_options.Ports = 2,
    filters: Annotated[int, typer.Option(help="Filters of the layer; three are run.")] = 512,
    megahertz: Annotated[float, typer.Option(help="Of the clock.")] = 200.0,
    seed: options.Seed = 0,
    out: Annotated[Path, typer.Option(help="Gets activities, tables and the report.")] = Path("runs/power"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    # Amaranth is an extra's: a list of all commands must not need it.
    from mercuric.studies.hardware.power.config import PowerConfig
    from mercuric.studies.hardware.power.page import answer, tables, write_page
    from mercuric.studies.hardware.power.study import count_activities
    from mercuric.studies.hardware.power.summary import summarize
    from mercuric.studies.hardware.power.watts import Chip

    config = PowerConfig(
        pe_rows=rows, pe_columns=columns, windows=windows, side=side, block=block, bits=bits,
        ports=ports or None, seed=seed, **({} if mcaches is None else {"mcaches": _parsed(mcaches)}),
    )  # fmt: skip
    chip = Chip(filters=filters, megahertz=megahertz)
    with bars() as progress:
        activities = count_activities(config, out, resume, progress)
    summary = summarize(activities, config, chip, out)
    report = write_page(out, store_command(out, context))
    show(as_json, summary, answer(summary), *tables(summary), f"Report: {report}")


def _parsed(mcaches: str) -> tuple[tuple[int, int], ...]:
    found = []
    for one in mcaches.split(","):
        match one.split("x"):
            case [sets, ways] if sets.isdecimal() and ways.isdecimal():
                found.append((int(sets), int(ways)))
            case _:
                raise ArgumentError(
                    f"mcaches was {mcaches!r}, but must be sets x ways with commas between, as 16x16,64x8"
                )
    return tuple(found)
