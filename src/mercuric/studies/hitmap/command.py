"""``mercuric hitmap``: every layer's Hitmap as a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.progress import named
from mercuric.studies.simulate.hitmaps import write_hitmap_folder
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.terminal.options import WEIGHTS, simulated_reuse
from mercuric.terminal.progress import bars


def hitmap(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A network of the zoo, as resnet50.")],
    out: Annotated[Path, typer.Option(help="A folder, for hitmap-001.csv and so on, and layers.csv.")],
    data: Annotated[str | None, typer.Option(help="A data set; photos or help-en-de by default.")] = None,
    images: Annotated[int, typer.Option(help="Images, the first of the training set.")] = 16,
    batch: Annotated[
        int | None, typer.Option(help="Images a line; as many as memory surely holds by default.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    data_root: Annotated[str | None, typer.Option(help="Where data sets and weights lie.")] = None,
    weights: Annotated[str, typer.Option(help=WEIGHTS)] = RANDOM,
    seed: Annotated[int, typer.Option(help="What random weights are drawn from.")] = 0,
    config: Annotated[Path | None, typer.Option(help="YAML of the reuse configuration.")] = None,
) -> None:
    reuse = simulated_reuse(config)
    examples = ExamplesConfig(
        model=model, data=data, images=images, batch=batch, image_size=image_size, data_root=data_root,
        weights=weights, seed=seed,
    )  # fmt: skip
    subject = load_subject(examples, examples.images, examples.batch)
    with bars() as progress:
        count = write_hitmap_folder(subject, out, reuse, named(progress, "images", model))
    store_command(out, context)
    typer.echo(f"{count} layers: {out}")
