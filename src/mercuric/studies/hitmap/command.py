"""``mercuric hitmap``: every layer's Hitmap as a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.similarity.command import WEIGHTS
from mercuric.studies.simulate.hitmaps import write_hitmap_folder
from mercuric.subjects.config import RANDOM, ExamplesConfig
from mercuric.subjects.subject import load_subject
from mercuric.terminal.console import errors
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import simulated_reuse
from mercuric.terminal.progress import bars


def hitmap(
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
    """Write which vectors of each layer of MODEL reuse a result, a line a batch."""
    with one_sentence():
        reuse = simulated_reuse(config)
        examples = ExamplesConfig(
            model=model, data=data, images=images, batch=batch, image_size=image_size, data_root=data_root,
            weights=weights, seed=seed,
        )  # fmt: skip
        subject = load_subject(examples, examples.images, examples.batch)
        with bars(errors()) as tell:
            count = write_hitmap_folder(
                subject, out, reuse, lambda done, total: tell(model, done, total, "images")
            )
        typer.echo(f"{count} layers: {out}")
