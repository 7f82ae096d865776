"""``mercuric hardware``: MERCURY's array as a circuit."""

from pathlib import Path
from shlex import join
from typing import Annotated

import typer

from mercuric.studies.hardware import options as circuit_options
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options


def verilog(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="A new folder, for Verilog and test benches.")],
    rows: circuit_options.Rows = 3,
    columns: circuit_options.Columns = 4,
    kernel: Annotated[int, typer.Option(help="Side of a window; a PE set has a PE for each row.")] = 3,
    sets: Annotated[int, typer.Option(help="Sets of the MCACHE.")] = 4,
    ways: Annotated[int, typer.Option(help="Ways of a set.")] = 2,
    bits: circuit_options.Bits = 8,
    block: circuit_options.Block = 4,
    queue: circuit_options.Queue = 4,
    versions: Annotated[
        int, typer.Option(help="Filter buffers, and results of an entry, of the asynchronous design.")
    ] = 4,
    word_bits: circuit_options.WordBits = 16,
    timing: circuit_options.Timing = "paper",
    mac_unit: circuit_options.MacUnit = False,
    scopes: Annotated[int, typer.Option(help="Scopes of the test bench's layer.")] = 2,
    filters: Annotated[int, typer.Option(help="Filters of the test bench's layer.")] = 3,
    seed: options.Seed = 0,
) -> None:
    # Amaranth is an extra's: a list of all commands must not need it.
    from mercuric.rtl.parameters import Parameters
    from mercuric.studies.hardware.study import write_circuits

    circuit = Parameters(
        pe_rows=rows, pe_columns=columns, kernel_rows=kernel, kernel_columns=kernel, block=block, bits=bits,
        cache_sets=sets, ways=ways, queue=queue, versions=versions, word_bits=word_bits,
        overlapped_products=timing == "fair", mac_unit=mac_unit,
    )  # fmt: skip
    for path in write_circuits(circuit, out, scopes, filters, seed):
        bench = path.with_name(f"{path.stem}_testbench.v")
        compiling = join(["iverilog", "-g2005", "-o", path.stem, str(path), str(bench)])
        typer.echo(f"{path}: {compiling} && vvp {path.stem}")
    store_command(out, context)
