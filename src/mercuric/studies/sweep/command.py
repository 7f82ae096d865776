"""``mercuric sweep``: every combination of an accelerator's fields, in parallel."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import records
from mercuric.studies.stored_command import store_command
from mercuric.studies.sweep.page import sweep_table, write_page
from mercuric.studies.sweep.study import RESULTS, SweepConfig, combination_totals, normalisations
from mercuric.studies.sweep.study import sweep as run_sweep
from mercuric.subjects.config import RANDOM
from mercuric.terminal.console import show
from mercuric.terminal.options import WEIGHTS, parse_settings
from mercuric.terminal.progress import bars


def sweep(
    context: typer.Context,
    models: Annotated[list[str], typer.Argument(help="Networks of the zoo, as vgg13 resnet50.")],
    vary: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE,VALUE,... of the accelerator; repeatable."),
    ],
    accelerator: Annotated[str, typer.Option(help="The hardware, by name or YAML file.")] = "eyeriss-168",
    data: Annotated[str | None, typer.Option(help="A data set; photos or help-en-de by default.")] = None,
    weights: Annotated[str, typer.Option(help=WEIGHTS)] = RANDOM,
    images: Annotated[int, typer.Option(help="Images, or pairs of sentences, the first to train on.")] = 2,
    batch: Annotated[
        int | None, typer.Option(help="Examples that run at once; as many as memory surely holds by default.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    bits: Annotated[int, typer.Option(help="Signature length, 1 to 64.")] = 20,
    seed: Annotated[int, typer.Option(help="What random weights and projections are drawn from.")] = 0,
    data_root: Annotated[str | None, typer.Option(help="Where data sets and weights lie.")] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Count the forward product alone.")] = False,
    jobs: Annotated[int, typer.Option(help="Networks that run at a time, each in a process.")] = 1,
    out: Annotated[Path, typer.Option(help="Gets sweep.parquet and the report.")] = Path("runs/sweep"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped sweep.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures instead of a table.")] = False,
) -> None:
    config = SweepConfig(
        models=tuple(models), vary=parse_settings(vary, most=None), accelerator=accelerator, data=data,
        data_root=data_root, weights=weights, images=images, batch=batch, image_size=image_size,
        seed=seed, bits=bits, inference=inference,
    )  # fmt: skip
    with bars() as progress:
        results = run_sweep(config, out, jobs, resume, progress)
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
