"""``mercuric bounds``: MERCURY beside the most that other ways to skip work can save."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from mercuric.files.json_text import records
from mercuric.studies.bounds.page import bounds_table, write_page
from mercuric.studies.bounds.study import BoundsConfig, bounds_study
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM
from mercuric.terminal.console import say, show
from mercuric.terminal.options import WEIGHTS
from mercuric.terminal.progress import bars


def bounds(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A network of the zoo, as vgg13.")],
    data: Annotated[str, typer.Option(help="A data set of images; see mercuric data list.")] = "photos",
    weights: Annotated[str, typer.Option(help=WEIGHTS)] = RANDOM,
    images: Annotated[
        int | None, typer.Option(help="Images in the batch; 16, or 2 above 64 pixels, by default.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    bits: Annotated[int, typer.Option(help="Signature length, 1 to 64.")] = 20,
    seed: Annotated[int, typer.Option(help="What random weights and projections are drawn from.")] = 0,
    accelerator: Annotated[str, typer.Option(help="The hardware, by name or YAML file.")] = "eyeriss-168",
    data_root: Annotated[str | None, typer.Option(help="Where data sets and weights lie.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Gets CSV and report; runs/bounds-MODEL-DATA-WEIGHTS by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures instead of a table.")] = False,
) -> None:
    config = BoundsConfig(
        model=model, data=data, data_root=data_root, weights=weights, images=images,
        image_size=image_size, seed=seed, bits=bits,
    )  # fmt: skip
    folder = out or Path("runs") / f"bounds-{model}-{data}-{Path(weights).stem}"
    with bars() as progress:
        summary = bounds_study(config, folder, accelerator, progress, say)
    report = write_page(folder, store_command(folder, context))
    layers = pd.read_csv(folder / "bounds.csv", dtype={"layer": str})
    figures = {**summary, "layers": records(layers)}
    show(as_json, figures, bounds_table(layers, summary), f"Report: {report}")
