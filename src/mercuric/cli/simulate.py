"""``mercuric simulate``: cycles of one batch, with and without reuse."""

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from mercuric import data as data_sets
from mercuric import zoo
from mercuric.accelerator import Simulation
from mercuric.accelerator import simulate as run_simulation
from mercuric.cli.failures import one_sentence
from mercuric.report import layer_table, simulation_table
from mercuric.reuse import ReuseConfig
from mercuric.training import load_weights


def simulate(
    model: Annotated[str, typer.Argument(help="A network of the zoo, as vgg13.")],
    data: Annotated[str, typer.Option(help="A data set; see mercuric data list.")] = "photos",
    images: Annotated[int, typer.Option(help="Images in the batch, the first of the training set.")] = 16,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where the data set's files lie.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A training run's checkpoint; random weights by default.")
    ] = None,
    accelerator: Annotated[str, typer.Option(help="The hardware, by name.")] = "eyeriss-168",
    config: Annotated[Path | None, typer.Option(help="YAML of the reuse configuration.")] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Count the forward product alone.")] = False,
    seed: Annotated[int, typer.Option(help="What random weights are drawn from.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures instead of tables.")] = False,
) -> None:
    """Count the cycles that MODEL takes on real images, with and without MERCURY."""
    with one_sentence():
        loaded = data_sets.load_images(data, data_root, image_size)
        if not 1 <= images <= len(loaded.train):
            raise ValueError(f"images was {images}, but must be from 1 to the {len(loaded.train)} of {data}")
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed was {seed}, but must be from 0 to {2**32 - 1}")
        torch.manual_seed(seed)
        network = zoo.build(model, len(loaded.classes), loaded.channels, loaded.image_size)
        if weights is not None:
            load_weights(weights, network)
        reuse = ReuseConfig.paper() if config is None else ReuseConfig.read(config)
        batch, _ = loaded.train.batch(torch.arange(images))
        result = run_simulation(network, batch, accelerator, reuse, training=not inference)
        described = {
            "model": model,
            "form": zoo.form(loaded.image_size),
            "data": data,
            "images": images,
            "image_size": loaded.image_size,
            "weights": f"random, seed {seed}" if weights is None else str(weights),
            "products": "forward" if inference else "forward, dO, dW",
        }
        _show(result, described, as_json)


def _show(result: Simulation, described: dict[str, Any], as_json: bool) -> None:
    summary = {**described, **result.summary()}
    if as_json:
        layers: list[dict[str, Any]] = json.loads(result.layers.to_json(orient="records"))
        typer.echo(json.dumps({**summary, "layers": layers}, indent=2))
        return
    console = Console()
    console.print(layer_table(result.layers.assign(seed=0)))
    console.print(simulation_table(summary))
