"""``mercuric hardware``: MERCURY's array as a circuit."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options


def verilog(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="A new folder, for Verilog and test benches.")],
    rows: Annotated[int, typer.Option(help="Rows of the PE array.")] = 3,
    columns: Annotated[int, typer.Option(help="Columns of the PE array.")] = 4,
    kernel: Annotated[int, typer.Option(help="Side of a window; a PE set has a PE for each row.")] = 3,
    sets: Annotated[int, typer.Option(help="Sets of the MCACHE.")] = 4,
    ways: Annotated[int, typer.Option(help="Ways of a set.")] = 2,
    bits: Annotated[int, typer.Option(help="Bits of a signature.")] = 8,
    block: Annotated[int, typer.Option(help="Input vectors that a PE set has room for.")] = 4,
    queue: Annotated[int, typer.Option(help="Requests that a cache set's insertion queue holds.")] = 4,
    word_bits: Annotated[int, typer.Option(help="Bits of inputs, weights, sums and results.")] = 16,
    timing: Annotated[
        Timing, typer.Option(help="Whether dot products overlap as signature bits do (fair) or not (paper).")
    ] = "paper",
    mac_unit: Annotated[bool, typer.Option("--mac-unit", help="Multiply and add in one cycle.")] = False,
    scopes: Annotated[int, typer.Option(help="Scopes of the test bench's layer.")] = 2,
    filters: Annotated[int, typer.Option(help="Filters of the test bench's layer.")] = 3,
    seed: options.Seed = 0,
) -> None:
    # Amaranth is an extra's: a list of all commands must not need it.
    from mercuric.rtl.parameters import Parameters
    from mercuric.studies.hardware.study import write_circuits

    circuit = Parameters(
        pe_rows=rows, pe_columns=columns, kernel_rows=kernel, kernel_columns=kernel, block=block, bits=bits,
        cache_sets=sets, ways=ways, queue=queue, word_bits=word_bits, overlapped_products=timing == "fair",
        mac_unit=mac_unit,
    )  # fmt: skip
    for path in write_circuits(circuit, out, scopes, filters, seed):
        bench = path.with_name(f"{path.stem}_testbench.v")
        typer.echo(f"{path}: iverilog -g2005 -o {path.stem} {path} {bench} && vvp {path.stem}")
    store_command(out, context)
