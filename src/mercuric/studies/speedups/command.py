"""``mercuric speedups``: every network of the paper on three dataflows and two designs."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.data import resizes
from mercuric.files.json_text import records
from mercuric.files.reading import read_json_object
from mercuric.studies.speedups.page import write_page
from mercuric.studies.speedups.study import FIELDS, NETWORKS
from mercuric.studies.speedups.study import speedups as run_speedups
from mercuric.studies.speedups.table import how_found, lost_rows, speedup_rows, terminal_table
from mercuric.studies.stored_command import store_command
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.workers import Workers
from mercuric.subjects.config import RANDOM
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def speedups(
    context: typer.Context,
    networks: Annotated[
        list[str] | None, typer.Argument(help=f"The paper's eleven by default; each {options.NETWORK}.")
    ] = None,
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    weights: options.Weights = RANDOM,
    images: Annotated[int, typer.Option(help="Images, or pairs of sentences: one minibatch.")] = 8,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the images in pixels; 224 by default.")
    ] = None,
    bits: options.Bits = 20,
    seed: options.Seed = 0,
    gradients: options.Gradients = None,
    data_root: options.DataRoot = None,
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    out: Annotated[Path, typer.Option(help="Gets tables and the sweep.")] = Path("runs/speedups"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    if image_size is None and (data is None or resizes(data)):
        image_size = 224
    config = SweepConfig(
        models=tuple(networks or NETWORKS), vary=FIELDS, data=data, data_root=data_root, weights=weights,
        images=images, batch=images, image_size=image_size, seed=seed, bits=bits,
        model_args=options.parse_model_args(model_args),
        gradients=gradients or "forward-hits",
    )  # fmt: skip
    with bars() as progress:
        table, left = run_speedups(config, out, Workers(jobs, ray), resume, progress)
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
