"""``mercuric speedups``: every network of the paper on three dataflows and two designs."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import records
from mercuric.files.reading import read_json_object
from mercuric.studies.speedups.page import write_page
from mercuric.studies.speedups.study import FIELDS, NETWORKS
from mercuric.studies.speedups.study import speedups as run_speedups
from mercuric.studies.speedups.table import how_found, lost_rows, speedup_rows, terminal_table
from mercuric.studies.stored_command import store_command
from mercuric.studies.sweep.study import SweepConfig
from mercuric.subjects.config import RANDOM
from mercuric.terminal.console import show
from mercuric.terminal.options import WEIGHTS
from mercuric.terminal.progress import bars


def speedups(
    context: typer.Context,
    networks: Annotated[
        list[str] | None, typer.Argument(help="Networks of the zoo; the paper's eleven by default.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A data set; photos or help-en-de by default.")] = None,
    weights: Annotated[str, typer.Option(help=WEIGHTS)] = RANDOM,
    images: Annotated[int, typer.Option(help="Images, or pairs of sentences: one minibatch.")] = 8,
    image_size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 224,
    bits: Annotated[int, typer.Option(help="Signature length, 1 to 64.")] = 20,
    seed: Annotated[int, typer.Option(help="What random weights and projections are drawn from.")] = 0,
    data_root: Annotated[str | None, typer.Option(help="Where data sets and weights lie.")] = None,
    jobs: Annotated[int, typer.Option(help="Networks that run at a time, each in a process.")] = 1,
    out: Annotated[Path, typer.Option(help="Gets tables and the sweep.")] = Path("runs/speedups"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures instead of tables.")] = False,
) -> None:
    config = SweepConfig(
        models=tuple(networks or NETWORKS), vary=FIELDS, data=data, data_root=data_root, weights=weights,
        images=images, batch=images, image_size=image_size, seed=seed, bits=bits,
    )  # fmt: skip
    with bars() as progress:
        table, left = run_speedups(config, out, jobs, resume, progress)
    write_page(out, store_command(out, context))
    figures = {
        "reuse": config.found_with(),
        "accelerator": config.accelerator,
        "normalisation": read_json_object(out / "sweep.json")["normalisation"],
        "speedups": records(table),
        "lost": records(left),
    }
    said = "training, normalising layers by the batch; layers that lose turned off (III-D)"
    show(
        as_json,
        figures,
        terminal_table(*speedup_rows(table), f"{said}; {how_found(config)}"),
        terminal_table(
            *lost_rows(left), "row stationary, synchronous, paper timing: speed-up as costs are added"
        ),
        f"Tables: {out / 'speedups.md'}",
    )
