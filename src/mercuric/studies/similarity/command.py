"""``mercuric similarity``: which vectors of a network are alike on real images, as pictures."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.files.json_text import records
from mercuric.studies.similarity.config import SimilarityConfig
from mercuric.studies.similarity.folder import read_study
from mercuric.studies.similarity.page import write_page
from mercuric.studies.similarity.study import similarity_study
from mercuric.studies.similarity.table import similarity_table
from mercuric.studies.similarity.training import read_training, write_training
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, shown_name
from mercuric.terminal import options
from mercuric.terminal.console import say, show
from mercuric.terminal.progress import bars


def similarity(
    context: typer.Context,
    model: options.Model,
    model_args: options.ModelArgs = None,
    data: options.Images = "photos",
    weights: options.Weights = RANDOM,
    images: options.BatchImages = None,
    image_size: options.ImageSize = None,
    bits: options.Bits = 20,
    seed: options.Seed = 0,
    data_root: options.DataRoot = None,
    run: Annotated[
        Path | None, typer.Option(help="A folder of mercuric train --compare, for Figs. 13 and 14a.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The study's folder; runs/similarity-MODEL-DATA-WEIGHTS by default.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    trained = None if run is None else read_training(run)
    config = SimilarityConfig(
        model=model, data=data, data_root=data_root, weights=weights, images=images,
        image_size=image_size, seed=seed, bits=bits,
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    folder = out or Path("runs") / f"similarity-{shown_name(model)}-{shown_name(data)}-{Path(weights).stem}"
    with bars() as progress:
        summary = similarity_study(config, folder, progress, say)
    tables = write_training(trained, folder)
    if trained is not None:
        summary["run_files"] = tables
        for sentence in trained.missing:
            say(sentence)
    report = write_page(folder, store_command(folder, context))
    study = read_study(folder)
    figures = {**summary, "layers": records(study.tables["layers"])}
    show(as_json, figures, similarity_table(study), f"Report: {report}")
