"""``mercuric hardware synthesize``: what the circuits take of an FPGA, beside the paper's tables."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mercuric.errors import MercuricError
from mercuric.page import formats
from mercuric.studies.hardware import options as circuit_options
from mercuric.studies.hardware.synthesis.page import answer, array, write_page
from mercuric.studies.hardware.synthesis.tables import comparisons, terminal_table
from mercuric.studies.stored_command import store_command
from mercuric.studies.workers import Workers
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def synthesize(
    context: typer.Context,
    sets: Annotated[
        str | None, typer.Option(help="Sets of the MCACHE, as 16,32,48,64; by default the paper's designs.")
    ] = None,
    ways: Annotated[str | None, typer.Option(help="Ways of a set, as 2,4,8,16.")] = None,
    rows: circuit_options.Rows = 12,
    columns: circuit_options.Columns = 14,
    kernel_rows: Annotated[
        int, typer.Option(help="Rows of a window; a PE set has a PE for each: a column of the array.")
    ] = 12,
    kernel_columns: Annotated[int, typer.Option(help="Elements of a window's row.")] = 3,
    bits: circuit_options.Bits = 20,
    block: circuit_options.Block = 16,
    queue: circuit_options.Queue = 4,
    word_bits: circuit_options.WordBits = 16,
    timing: circuit_options.Timing = "paper",
    mac_unit: circuit_options.MacUnit = False,
    results: Annotated[
        Literal["registers", "memory"], typer.Option(help="Where the MCACHE's results are.")
    ] = "registers",
    ports: circuit_options.Ports = 0,
    hitmap_ports: Annotated[
        int, typer.Option(help="Rows of a PE set's Hitmap written in a cycle; 0: one for each cache set.")
    ] = 1,
    queue_ports: Annotated[
        int, typer.Option(help="Signatures that a queue takes in a cycle; 0: one of each PE set.")
    ] = 1,
    time_limit: Annotated[float | None, typer.Option(help="Seconds that one circuit may take.")] = None,
    jobs: Annotated[int, typer.Option(help="Circuits at a time, each in a process that may take 3 GB.")] = 1,
    cache: Annotated[
        Path | None, typer.Option(help="Where known circuits lie; ~/.cache/mercuric/syntheses by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Gets tables and the report.")] = Path("runs/synthesis"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    # Amaranth is an extra's: a list of all commands must not need it.
    from mercuric.studies.hardware.synthesis.cache import cache_folder
    from mercuric.studies.hardware.synthesis.config import SynthesisConfig
    from mercuric.studies.hardware.synthesis.study import synthesize_designs

    config = SynthesisConfig(
        sets=None if sets is None else options.parse_numbers("sets", sets, "16,32,48,64"),
        ways=None if ways is None else options.parse_numbers("ways", ways, "2,4,8,16"),
        rows=rows, columns=columns, kernel_rows=kernel_rows,
        kernel_columns=kernel_columns, bits=bits, block=block, queue=queue, word_bits=word_bits,
        timing=timing, mac_unit=mac_unit,
        results=results, ports=ports or None, hitmap_ports=hitmap_ports or None,
        queue_ports=queue_ports or None,
    )  # fmt: skip
    with bars() as progress:
        summary = synthesize_designs(
            config, out, cache or cache_folder(), Workers(jobs), resume, time_limit, progress
        )
    if summary["circuits"]:
        report = write_page(out, store_command(out, context))
        tables = [terminal_table(one, array(summary["config"])) for one in comparisons(summary["circuits"])]
        show(as_json, summary, answer(summary), *tables, f"Report: {report}")
    if left := summary["ran_out"]:
        raise MercuricError(
            f"{formats.listing(left)} took longer than the {time_limit:g} s of time_limit; finished circuits "
            "are kept: add --resume and a longer --time-limit to go on",
            exit_code=1,
        )
