"""``mercuric simulate``: cycles of a network, of saved Hitmaps or of a topology, with and without reuse."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.errors import ArgumentError
from mercuric.files.json_text import records
from mercuric.page.listeners import heard, tell
from mercuric.studies.simulate.cost_table import area_line, cost_table
from mercuric.studies.simulate.study import Counting, Hitmaps, Network, Source, Topology
from mercuric.studies.simulate.study import simulate as run_simulation
from mercuric.studies.simulate.topology_table import topology_table, topology_total
from mercuric.studies.train.terminal import simulation_table
from mercuric.studies.train.words.mercury_table import layer_table
from mercuric.subjects.config import ExamplesConfig
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars
from mercuric.trace.supervised import Gradients


def simulate(
    model: Annotated[str | None, typer.Argument(help=f"{options.NETWORK}.")] = None,
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    images: Annotated[
        int | None, typer.Option(help="Images or pairs, the first to train on; 16 by default.")
    ] = None,
    batch: options.AtOnce = None,
    image_size: options.ImageSize = None,
    data_root: options.DataRoot = None,
    weights: Annotated[str | None, typer.Option(help=options.WEIGHTS)] = None,
    seed: Annotated[
        int | None, typer.Option(help="What random weights are drawn from; 0 by default.")
    ] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="The hardware, by name or YAML file; eyeriss-168 by default.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of the accelerator; repeatable.")
    ] = None,
    config: options.ReuseFile = None,
    inference: options.Inference = False,
    gradients: options.Gradients = None,
    save_hitmaps: Annotated[Path | None, typer.Option(help="A Parquet file for the Hitmaps.")] = None,
    hitmaps: Annotated[
        Path | None, typer.Option(help="Saved Hitmaps, Parquet or a folder of CSV: no network runs.")
    ] = None,
    scalesim_config: Annotated[Path | None, typer.Option(help="The hardware, as SCALE-Sim's .cfg.")] = None,
    topology: Annotated[Path | None, typer.Option(help="The layers, as SCALE-Sim's .csv.")] = None,
    hit_rate: Annotated[float | None, typer.Option(help="Share of HITs in a topology, 0 to 1.")] = None,
    energy: Annotated[
        bool, typer.Option("--energy", help="Count energy too, by the accelerator's energies.")
    ] = False,
    engine: Annotated[
        Literal["scalesim"] | None, typer.Option(help="Count with SCALE-Sim too, and show both.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    of_network: dict[str, Any] = {
        "data": data, "images": images, "batch": batch, "image_size": image_size, "data_root": data_root,
        "weights": weights, "seed": seed, "model_args": options.parse_model_args(model_args) or None,
    }  # fmt: skip
    source = _source(model, of_network, save_hitmaps, hitmaps, topology, hit_rate, gradients)
    hardware = options.chosen_accelerator(accelerator, scalesim_config, settings or [])
    how = Counting(
        hardware,
        options.simulated_reuse(config),
        not inference,
        engine,
        fitting(hardware) if energy else None,
    )
    with bars() as progress:
        layers, summary = run_simulation(source, how, progress)
    if heard():
        from mercuric.studies.simulate.figures import as_section  # Plotly takes long to import

        tell([as_section(layers)])
    figures = {**summary, "layers": records(layers)}
    if isinstance(source, Topology) or engine is not None:
        tables = [topology_table(layers), topology_total(summary)]
    else:
        tables = [layer_table(layers.assign(seed=0)), simulation_table(summary)]
    costs = cost_table(layers, summary)
    shown = [*tables[:1], *([] if costs is None else [costs]), *tables[1:]]
    show(as_json, figures, *shown, area_line(summary))


def _source(
    model: str | None,
    of_network: dict[str, Any],
    save: Path | None,
    hitmaps: Path | None,
    topology: Path | None,
    hit_rate: float | None,
    gradients: Gradients | None,
) -> Source:
    """What the command line names; what it gives beside that must be of use there."""
    if topology is not None and model is not None:
        raise ArgumentError(f"model was {model!r}, but with a topology it must not be given")
    if hit_rate is not None and topology is None:
        raise ArgumentError(f"hit_rate was {hit_rate}, but elsewhere than in a topology HITs are measured")
    given = {name: value for name, value in of_network.items() if value is not None}
    if topology is not None or hitmaps is not None:
        others = {"save_hitmaps": save, "gradients": gradients}
        for name in (*given, *(name for name, value in others.items() if value is not None)):
            raise ArgumentError(f"{name} was given, but no network runs with --hitmaps or --topology")
    if topology is not None:
        return Topology(topology, hit_rate, hitmaps)
    if hitmaps is not None:
        return Hitmaps(hitmaps, model)
    if model is None:
        raise ArgumentError("model was not given, but a network, --hitmaps or --topology must be")
    return Network(ExamplesConfig(model=model, **given), save, gradients or "forward-hits")
