"""``mercuric bench equal``: what does exact reuse gain, on which networks and data?"""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from mercuric.errors import ArgumentError
from mercuric.files.locks import holding
from mercuric.studies.bench import table as tables
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.folder import measured_before
from mercuric.studies.bench.equal.study import Found, bench_equal
from mercuric.studies.bench.options import Clock, Dtype, Out, Rounds, Seed
from mercuric.studies.bench.shown import Shown, show_tables, write_tables
from mercuric.terminal import options
from mercuric.terminal.progress import bars

_TITLES = {
    "timed": "exact reuse beside dense, in turn",
    "exact": "how far from dense: largest difference over the largest number",
    "memory": "memory at its peak",
    "layers": "layer by layer",
    "batches": "batch by batch",
    "skipped": "not measured: their data are not there",
}


def equal(
    context: typer.Context,
    networks: Annotated[
        list[str] | None,
        typer.Argument(help=f"Those that gain something by default; each {options.NETWORK}."),
    ] = None,
    model_args: options.ModelArgs = None,
    data: Annotated[
        str | None, typer.Option(help="A data set of images; by default those that each network has.")
    ] = None,
    image_size: options.ImageSize = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    batches: Annotated[int, typer.Option(help="Batches, drawn over the whole training set.")] = 8,
    threads: Annotated[
        str | None, typer.Option(help="Numbers of threads, as 1,8; by default one, and all cores.")
    ] = None,
    most: Annotated[
        float | None, typer.Option(help="Share of differing vectors from which on a layer is dense.")
    ] = None,
    levels: Annotated[int | None, typer.Option(help="Round the input to so many levels.")] = None,
    scope: Annotated[Literal["batch", "image"], typer.Option(help="Where equal vectors share.")] = "batch",
    width: Annotated[float, typer.Option(help="Channels of each layer, times this.")] = 1.0,
    forward: Annotated[bool, typer.Option("--forward-only", help="Time inference alone.")] = False,
    memory: Annotated[bool, typer.Option(help="Measure peak memory, in processes of their own.")] = True,
    exactness: Annotated[
        bool, typer.Option(help="Compare with float64, which takes large networks minutes.")
    ] = True,
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Time torch.compile of dense as well.")
    ] = True,
    clock: Clock = "wall",
    seed: Seed = 0,
    data_root: options.DataRoot = None,
    out: Out = None,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    config = EqualBench(
        networks=tuple(networks or ()), data=data, data_root=data_root, image_size=image_size,
        batch_size=batch_size, batches=batches, threads=threads and options.parse_threads(threads),
        most=most, levels=levels, scope=scope, width=width, forward_only=forward, memory=memory,
        exactness=exactness, rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    if resume and out is None:
        raise ArgumentError("resume was given, but must come with --out, the folder of what was stopped")
    with nullcontext() if out is None else holding(out):
        found = _measured(context, config, out, resume)
        on_screen = (
            tuple(found)
            if found["timed"].get("network", pd.Series()).nunique() == 1
            else ("timed", "exact", "memory", "skipped")
        )
        show_tables(context, "equal", config, out, as_json, _shown(found), on_screen)


def _measured(
    context: typer.Context, config: EqualBench, out: Path | None, resume: bool
) -> dict[str, pd.DataFrame]:
    before = Found() if out is None else measured_before(out, config, resume)

    def keep(found: Found) -> None:
        if out is not None:
            write_tables(context, "equal", config, out, _shown(found.tables()))

    with bars() as progress:
        return bench_equal(config, progress, before, keep)


def _shown(found: Mapping[str, pd.DataFrame]) -> dict[str, Shown]:
    return {name: (_TITLES[name], table, tables.equal_columns(name, table)) for name, table in found.items()}
