"""``mercuric sweep``: every combination of an accelerator's fields, in parallel."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import json_text, records
from mercuric.studies.similarity.command import WEIGHTS
from mercuric.studies.sweep.page import sweep_table, write_sweep_report
from mercuric.studies.sweep.study import RESULTS, SweepConfig, combination_totals, normalisations
from mercuric.studies.sweep.study import sweep as run_sweep
from mercuric.subjects.config import RANDOM
from mercuric.terminal.command_line import command_line
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import parse_settings
from mercuric.terminal.progress import part_bar


def sweep(
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
    """Simulate MODELS on every combination of the accelerator's fields that --set names."""
    with one_sentence("stopped; finished parts are kept: add --resume to go on"):
        config = SweepConfig(
            models=tuple(models), vary=parse_settings(vary, most=None), accelerator=accelerator, data=data,
            data_root=data_root, weights=weights, images=images, batch=batch, image_size=image_size,
            seed=seed, bits=bits, inference=inference,
        )  # fmt: skip
        with part_bar(errors()) as tell:
            results = run_sweep(config, out, jobs, resume, tell)
        report = write_sweep_report(out, _command(config))
        totals = combination_totals(results, list(config.vary))
        if as_json:
            described = {
                **config.model_dump(mode="json"),
                "reuse": config.found_with(),
                "normalisation": normalisations(results),
                "combinations": records(totals),
            }
            typer.echo(json_text(described))
            return
        output().print(sweep_table(totals, config, normalisations(results)))
        typer.echo(f"Results: {out / RESULTS}\nReport: {report}")


def _command(config: SweepConfig) -> str:
    words = [*config.models]
    for name, values in config.vary.items():
        words += ["--set", f"{name}={','.join('null' if value is None else str(value) for value in values)}"]
    return command_line("sweep", words, config.model_dump(exclude={"models", "vary"}, exclude_defaults=True))
