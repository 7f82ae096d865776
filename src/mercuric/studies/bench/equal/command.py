"""``mercuric bench equal``: what does exact reuse gain, on which networks and data?"""

from typing import Annotated, Literal

import pandas as pd
import typer

from mercuric.studies.bench import table as tables
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.study import bench_equal
from mercuric.studies.bench.options import Clock, Dtype, Out, Rounds, Seed
from mercuric.studies.bench.shown import Shown, show_tables
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
        list[str] | None, typer.Argument(help="Of the zoo; by default those that gain something.")
    ] = None,
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
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Time torch.compile of dense as well.")
    ] = True,
    clock: Clock = "wall",
    seed: Seed = 0,
    data_root: options.DataRoot = None,
    out: Out = None,
    as_json: options.AsJson = False,
) -> None:
    config = EqualBench(
        networks=tuple(networks or ()), data=data, data_root=data_root, image_size=image_size,
        batch_size=batch_size, batches=batches, threads=threads and options.parse_threads(threads),
        most=most, levels=levels, scope=scope, width=width, forward_only=forward, memory=memory,
        rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed,
    )  # fmt: skip
    with bars() as progress:
        found = bench_equal(config, progress)
    shown: dict[str, Shown] = {
        name: (_TITLES[name], table, tables.equal_columns(name, table)) for name, table in found.items()
    }
    on_screen = (
        shown
        if found["timed"].get("network", pd.Series()).nunique() == 1
        else ("timed", "exact", "memory", "skipped")
    )
    show_tables(context, "equal", config, out, as_json, shown, on_screen)
