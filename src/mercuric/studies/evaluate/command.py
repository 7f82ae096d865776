"""``mercuric evaluate``: energy, latency and area of a network's layers on several accelerators."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.errors import ArgumentError
from mercuric.files.json_text import records
from mercuric.studies.evaluate.config import COMPARABLE, EvaluationConfig
from mercuric.studies.evaluate.page import write_page
from mercuric.studies.evaluate.study import evaluate, write_evaluation
from mercuric.studies.evaluate.tables import evaluation_table
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, shown_name
from mercuric.terminal import options
from mercuric.terminal.console import output, say, show
from mercuric.terminal.progress import bars

_WIDE = 110
"""Columns of a terminal that hold the energy's shares as well."""


def evaluate_command(
    context: typer.Context,
    model: options.Model,
    model_args: options.ModelArgs = None,
    accelerator: Annotated[str, typer.Option(help="Presets or YAML files, with commas between.")] = ",".join(
        COMPARABLE
    ),
    batch: Annotated[str, typer.Option(help="Images in a batch; several with commas between.")] = "1",
    data: options.Images = "photos",
    image_size: options.ImageSize = None,
    weights: options.Weights = RANDOM,
    config: options.ReuseFile = None,
    energies: Annotated[
        str | None, typer.Option(help="eyeriss, horowitz-16, horowitz-32, or a YAML file.")
    ] = None,
    timing: Annotated[str, typer.Option(help="Which baseline leads: fair or paper.")] = "fair",
    inference: options.Inference = False,
    dense: Annotated[
        bool, typer.Option("--dense", help="Leave MERCURY out: shapes alone are read, for any batch.")
    ] = False,
    engine: Annotated[str, typer.Option(help="native, or zigzag as a second opinion.")] = "native",
    seed: options.Seed = 0,
    data_root: options.DataRoot = None,
    out: Annotated[
        Path | None, typer.Option(help="Gets CSV and report; runs/evaluate-MODEL-DATA by default.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    evaluated = EvaluationConfig(
        model=model, accelerators=_listed(accelerator), batches=_batches(batch), data=data,
        data_root=data_root, weights=weights, image_size=image_size, energies=energies, timing=timing,
        inference=inference, dense=dense, engine=engine, seed=seed,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    reuse = options.simulated_reuse(config)
    folder = out or Path("runs") / f"evaluate-{shown_name(model)}-{shown_name(data)}"
    with bars() as progress:
        evaluation = evaluate(evaluated, reuse, progress, say)
    write_evaluation(evaluation, folder)
    report = write_page(folder, store_command(folder, context))
    figures = {**evaluation.summary(), "layers": records(evaluation.layers)}
    table = evaluation_table(evaluation, shares=output().width >= _WIDE)
    show(as_json, figures, table, f"Report: {report}")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _batches(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _listed(text))
    except ValueError:
        raise ArgumentError(
            f"batch was {text!r}, but must be whole numbers with commas between, as 1,16"
        ) from None
