"""``mercuric bounds``: MERCURY beside the most that other ways to skip work can save."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from mercuric.files.json_text import records
from mercuric.studies.bounds.page import bounds_table, write_page
from mercuric.studies.bounds.study import BoundsConfig, bounds_study
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, shown_name
from mercuric.terminal import options
from mercuric.terminal.console import say, show
from mercuric.terminal.progress import bars


def bounds(
    context: typer.Context,
    model: options.Model,
    model_args: options.ModelArgs = None,
    data: options.Images = "photos",
    weights: options.Weights = RANDOM,
    images: options.BatchImages = None,
    image_size: options.ImageSize = None,
    bits: options.Bits = 20,
    seed: options.Seed = 0,
    accelerator: options.Hardware = "eyeriss-168",
    data_root: options.DataRoot = None,
    out: Annotated[
        Path | None, typer.Option(help="Gets CSV and report; runs/bounds-MODEL-DATA-WEIGHTS by default.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    config = BoundsConfig(
        model=model, data=data, data_root=data_root, weights=weights, images=images,
        image_size=image_size, seed=seed, bits=bits,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    folder = out or Path("runs") / f"bounds-{shown_name(model)}-{shown_name(data)}-{Path(weights).stem}"
    with bars() as progress:
        summary = bounds_study(config, folder, accelerator, progress, say)
    report = write_page(folder, store_command(folder, context))
    layers = pd.read_csv(folder / "bounds.csv", dtype={"layer": str})
    figures = {**summary, "layers": records(layers)}
    show(as_json, figures, bounds_table(layers, summary), f"Report: {report}")
