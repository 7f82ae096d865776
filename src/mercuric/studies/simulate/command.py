"""``mercuric simulate``: cycles of a network, of saved Hitmaps or of a topology, with and without reuse."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mercuric.files.json_text import json_text, records
from mercuric.studies.similarity.command import WEIGHTS
from mercuric.studies.simulate.study import Simulated, SimulateRequest, simulate_request
from mercuric.studies.simulate.topology_table import topology_table, topology_total
from mercuric.studies.train.terminal import layer_table, simulation_table
from mercuric.subjects.config import ExamplesConfig
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import chosen_accelerator, simulated_reuse
from mercuric.terminal.progress import bars


def simulate(
    model: Annotated[str | None, typer.Argument(help="A network of the zoo, as vgg13.")] = None,
    data: Annotated[str | None, typer.Option(help="A data set; photos or help-en-de by default.")] = None,
    images: Annotated[
        int | None, typer.Option(help="Images or pairs, the first to train on; 16 by default.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Images that run at once; as many as memory surely holds by default.")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    data_root: Annotated[str | None, typer.Option(help="Where the data set's files lie.")] = None,
    weights: Annotated[str | None, typer.Option(help=WEIGHTS)] = None,
    seed: Annotated[
        int | None, typer.Option(help="What random weights are drawn from; 0 by default.")
    ] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="The hardware, by name or YAML file; eyeriss-168 by default.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of the accelerator; repeatable.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of the reuse configuration.")] = None,
    inference: Annotated[bool, typer.Option("--inference", help="Count the forward product alone.")] = False,
    save_hitmaps: Annotated[Path | None, typer.Option(help="A Parquet file for the Hitmaps.")] = None,
    hitmaps: Annotated[
        Path | None, typer.Option(help="Saved Hitmaps, Parquet or a folder of CSV: no network runs.")
    ] = None,
    scalesim_config: Annotated[Path | None, typer.Option(help="The hardware, as SCALE-Sim's .cfg.")] = None,
    topology: Annotated[Path | None, typer.Option(help="The layers, as SCALE-Sim's .csv.")] = None,
    hit_rate: Annotated[float | None, typer.Option(help="Share of HITs in a topology, 0 to 1.")] = None,
    engine: Annotated[
        Literal["scalesim"] | None, typer.Option(help="Count with SCALE-Sim too, and show both.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures instead of tables.")] = False,
) -> None:
    """Count the cycles that MODEL takes on real images, with and without MERCURY."""
    with one_sentence():
        options: dict[str, Any] = {
            "data": data, "images": images, "batch": batch, "image_size": image_size, "data_root": data_root,
            "weights": weights, "seed": seed,
        }  # fmt: skip
        given = {name: value for name, value in options.items() if value is not None}
        request = SimulateRequest(
            network=ExamplesConfig(model=model, **given) if model and not hitmaps and not topology else None,
            model=model,
            unused=tuple(given),
            accelerator=chosen_accelerator(accelerator, scalesim_config, settings or []),
            reuse=simulated_reuse(config),
            training=not inference,
            save=save_hitmaps,
            hitmaps=hitmaps,
            topology=topology,
            hit_rate=hit_rate,
            engine=engine,
        )
        with bars(errors()) as tell:
            result = simulate_request(request, tell)
        _show(result, as_json)


def _show(result: Simulated, as_json: bool) -> None:
    summary = {**result.described, **result.summary}
    if as_json:
        typer.echo(json_text({**summary, "layers": records(result.layers)}))
        return
    console = output()
    if result.is_topology or result.has_engine:
        console.print(topology_table(result.layers))
        console.print(topology_total(summary))
        return
    console.print(layer_table(result.layers.assign(seed=0)))
    console.print(simulation_table(summary))
