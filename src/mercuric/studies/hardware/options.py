"""Which options do the commands of the circuits share?"""

from typing import Annotated

import typer

from mercuric.accelerator.dataflows import dot_product

Rows = Annotated[int, typer.Option(help="Rows of the PE array.")]
Columns = Annotated[int, typer.Option(help="Columns of the PE array.")]
Bits = Annotated[int, typer.Option(help="Bits of a signature.")]
Block = Annotated[int, typer.Option(help="Input vectors that a PE set has room for.")]
Queue = Annotated[int, typer.Option(help="Requests that a cache set's insertion queue holds.")]
WordBits = Annotated[int, typer.Option(help="Bits of inputs, weights, sums and results.")]
Timing = Annotated[
    dot_product.Timing,
    typer.Option(help="Whether dot products overlap as signature bits do (fair) or not (paper)."),
]
MacUnit = Annotated[bool, typer.Option("--mac-unit", help="Multiply and add in one cycle.")]
Ports = Annotated[int, typer.Option(help="Ports to read and to write results; 0: one for each PE set.")]
