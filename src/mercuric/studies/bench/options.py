"""Which options do benchmarks share?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mercuric.studies.bench.compiler import require_compiler
from mercuric.studies.bench.settings import Precision

Rounds = Annotated[int, typer.Option(help="Measurements of each form, in turn.")]
Dtype = Annotated[Precision, typer.Option(help="bfloat16 is autocast, dense and with reuse alike.")]
Compile = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="Time torch.compile of dense as well; the faster one counts.",
        callback=require_compiler,
    ),
]
Clock = Annotated[
    Literal["wall", "cpu"],
    typer.Option(help="cpu: the processor's seconds, for a busy machine, with OMP_NUM_THREADS=1."),
]
Seed = Annotated[int, typer.Option(help="What weights and noise are drawn from.")]
Quick = Annotated[bool, typer.Option("--quick", help="Small shapes, to see that it works.")]
Out = Annotated[Path | None, typer.Option(help="A folder that gets the figures as CSV, JSON and Markdown.")]
Ranks = Annotated[str, typer.Option("--rank", help="Directions: numbers, or shares of the filters.")]
