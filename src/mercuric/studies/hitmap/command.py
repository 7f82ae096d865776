"""``mercuric hitmap``: every layer's Hitmap as a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.progress import named
from mercuric.studies.simulate.hitmaps import write_hitmap_folder
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.terminal import options
from mercuric.terminal.progress import bars


def hitmap(
    context: typer.Context,
    model: options.Model,
    out: Annotated[Path, typer.Option(help="A folder, for hitmap-001.csv and so on, and layers.csv.")],
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    images: Annotated[int, typer.Option(help="Images, the first of the training set.")] = 16,
    batch: options.AtOnce = None,
    image_size: options.ImageSize = None,
    data_root: options.DataRoot = None,
    weights: options.Weights = RANDOM,
    seed: options.Seed = 0,
    config: options.ReuseFile = None,
) -> None:
    reuse = options.simulated_reuse(config)
    examples = ExamplesConfig(
        model=model, data=data, images=images, batch=batch, image_size=image_size, data_root=data_root,
        weights=weights, seed=seed, model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    subject = load_subject(examples, examples.images, examples.batch)
    with bars() as progress:
        count = write_hitmap_folder(subject, out, reuse, named(progress, "images", model))
    store_command(out, context)
    typer.echo(f"{count} layers: {out}")
