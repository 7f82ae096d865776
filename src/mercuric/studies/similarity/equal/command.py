"""``mercuric similarity --equal``: which regions of an image are computed once, as pictures."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mercuric.files.json_text import records
from mercuric.studies.similarity.equal.config import EqualSimilarityConfig
from mercuric.studies.similarity.equal.page import layer_table, read_layers, write_page
from mercuric.studies.similarity.equal.study import equal_similarity
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import shown_name
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def similarity_equal(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help=f"Restoration or dqn, or {options.NETWORK}.")],
    model_args: options.ModelArgs = None,
    data: options.Images = "text-pages",
    images: Annotated[int, typer.Option(help="Images in the batch, which share.")] = 1,
    image_size: options.ImageSize = None,
    levels: Annotated[int | None, typer.Option(help="Round the input to so many levels.")] = None,
    scope: Annotated[Literal["batch", "image"], typer.Option(help="Where equal vectors share.")] = "batch",
    seed: options.Seed = 0,
    data_root: options.DataRoot = None,
    out: Annotated[
        Path | None, typer.Option(help="The study's folder; runs/similarity-equal-MODEL-DATA by default.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    config = EqualSimilarityConfig(
        model=model, data=data, data_root=data_root, image_size=image_size, images=images, levels=levels,
        scope=scope, seed=seed, model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    folder = out or Path("runs") / f"similarity-equal-{shown_name(model)}-{shown_name(data)}"
    with bars() as progress:
        summary = equal_similarity(config, folder, progress)
    report = write_page(folder, store_command(folder, context))
    layers = read_layers(folder)
    show(as_json, {**summary, "layers": records(layers)}, layer_table(summary, layers), f"Report: {report}")
