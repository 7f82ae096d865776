"""``mercuric speedups --assumptions``: every reading of the paper's text beside its three means."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.speedups.assumptions.page import write_page
from mercuric.studies.speedups.assumptions.study import assumptions_study
from mercuric.studies.speedups.assumptions.table import answer, caution, move_rows, near_columns, network_rows
from mercuric.studies.speedups.study import NETWORKS
from mercuric.studies.speedups.table import how_found, terminal_table
from mercuric.studies.stored_command import store_command
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.workers import Workers
from mercuric.subjects.config import RANDOM
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def assumptions(
    context: typer.Context,
    networks: Annotated[
        list[str] | None, typer.Argument(help=f"The paper's eleven by default; each {options.NETWORK}.")
    ] = None,
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    weights: options.Weights = RANDOM,
    images: Annotated[int, typer.Option(help="Images: one minibatch.")] = 1,
    image_size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 224,
    bits: options.Bits = 20,
    seed: options.Seed = 0,
    data_root: options.DataRoot = None,
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    out: Annotated[Path, typer.Option(help="Gets tables, counts and the report.")] = Path("runs/assumptions"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    config = SweepConfig(
        models=tuple(networks or NETWORKS), vary={}, data=data, data_root=data_root, weights=weights,
        images=images, batch=images, image_size=image_size, seed=seed, bits=bits,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    with bars() as progress:
        summary = assumptions_study(config, out, Workers(jobs, ray), resume, progress)
    report = write_page(out, store_command(out, context))
    show(
        as_json,
        summary,
        answer(summary),
        caution(summary),
        terminal_table(*near_columns(summary), f"the nearest combinations; {how_found(config)}"),
        terminal_table(
            *move_rows(summary), "a mean with the value over that with our own: median (least to most)"
        ),
        terminal_table(*network_rows(summary), "single networks under the nearest and our own"),
        f"Report: {report}",
    )
