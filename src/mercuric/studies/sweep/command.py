"""``mercuric sweep``: every combination of an accelerator's fields, in parallel."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import records
from mercuric.studies.stored_command import store_command
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.page import sweep_table, write_page
from mercuric.studies.sweep.study import RESULTS, combination_totals, normalisations
from mercuric.studies.sweep.study import sweep as run_sweep
from mercuric.studies.workers import Workers
from mercuric.subjects.config import RANDOM
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def sweep(
    context: typer.Context,
    models: Annotated[
        list[str], typer.Argument(help=f"Networks, as vgg13 resnet50: each {options.NETWORK}.")
    ],
    vary: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE,VALUE,... of the accelerator; repeatable."),
    ],
    accelerator: options.Hardware = "eyeriss-168",
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    weights: options.Weights = RANDOM,
    images: Annotated[int, typer.Option(help="Images, or pairs of sentences, the first to train on.")] = 2,
    batch: options.AtOnce = None,
    image_size: options.ImageSize = None,
    bits: options.Bits = 20,
    seed: options.Seed = 0,
    gradients: options.Gradients = None,
    data_root: options.DataRoot = None,
    inference: options.Inference = False,
    energy: Annotated[
        bool, typer.Option("--energy", help="Count energy and area too, by the accelerator's energies.")
    ] = False,
    jobs: options.Jobs = None,
    ray: options.Ray = None,
    out: Annotated[Path, typer.Option(help="Gets sweep.parquet and the report.")] = Path("runs/sweep"),
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    config = SweepConfig(
        models=tuple(models), vary=options.parse_settings(vary, most=None), accelerator=accelerator,
        data=data, data_root=data_root, weights=weights, images=images, batch=batch, image_size=image_size,
        seed=seed, bits=bits, inference=inference, gradients=gradients or "forward-hits", energy=energy,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    with bars() as progress:
        results = run_sweep(config, out, Workers(jobs, ray), resume, progress)
    report = write_page(out, store_command(out, context))
    totals = combination_totals(results, list(config.vary))
    figures = {
        **config.model_dump(mode="json"),
        "reuse": config.found_with(),
        "normalisation": normalisations(results),
        "combinations": records(totals),
    }
    table = sweep_table(totals, config, normalisations(results))
    show(as_json, figures, table, f"Results: {out / RESULTS}\nReport: {report}")
