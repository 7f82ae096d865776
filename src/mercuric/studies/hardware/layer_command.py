"""``mercuric hardware layer``: a whole layer of a network in the circuit, beside the simulator."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.hardware import options as circuit_options
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import RANDOM, ExamplesConfig
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def layer(
    context: typer.Context,
    model: options.Model,
    name: Annotated[str, typer.Option("--layer", help="A convolution of it, as features.0.")],
    out: Annotated[Path, typer.Option(help="A new folder, for Verilog, C++, data and layer.json.")],
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    images: Annotated[int, typer.Option(help="Images, the first of the training set.")] = 1,
    image_size: options.ImageSize = None,
    data_root: options.DataRoot = None,
    weights: options.Weights = RANDOM,
    seed: options.Seed = 0,
    accelerator: options.Hardware = "eyeriss-168",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="FIELD=VALUE of the accelerator, as design=asynchronous: the circuit is then given the "
            "recorded Hitmap; repeatable.",
        ),
    ] = None,
    timing: circuit_options.Timing = "paper",
    config: options.ReuseFile = None,
    time_limit: Annotated[float, typer.Option(help="Seconds to compile and run the circuit in.")] = 3600,
    as_json: options.AsJson = False,
) -> None:
    # Amaranth is an extra's: a list of all commands must not need it.
    from mercuric.studies.hardware.layer import buildable, layer_study

    examples = ExamplesConfig(
        model=model, data=data, images=images, image_size=image_size, data_root=data_root, weights=weights,
        seed=seed, model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    fields = {field: value for field, (value,) in options.parse_settings(settings or []).items()}
    hardware, reuse = buildable(accelerator, fields), options.simulated_reuse(config)
    with bars() as progress:
        compared = layer_study(examples, name, hardware, out, timing, reuse, time_limit, progress)
    store_command(out, context)
    show(as_json, {**asdict(compared), "passed": compared.passed}, *compared.lines())
    if not compared.passed:
        raise typer.Exit(1)
