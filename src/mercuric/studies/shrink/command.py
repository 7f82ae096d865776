"""``mercuric shrink``: fewer channels, chosen stage by stage for an accelerator."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.page import shrink_table, write_page
from mercuric.studies.shrink.study import shrink as run_shrink
from mercuric.studies.stored_command import store_command
from mercuric.subjects.config import shown_name
from mercuric.terminal import options
from mercuric.terminal.console import say, show
from mercuric.terminal.progress import bars
from mercuric.training import TrainingConfig


def shrink(
    context: typer.Context,
    model: options.Model,
    model_args: options.ModelArgs = None,
    accelerator: options.Hardware = "eyeriss-like",
    data: options.Images = "photos",
    trials: Annotated[int, typer.Option(help="Networks to train, the four uniform widths among them.")] = 20,
    epochs: Annotated[int, typer.Option(help="Passes over the training images, for each network.")] = 1,
    train_examples: options.TrainExamples = None,
    width: Annotated[float, typer.Option(help="Start from a network of so many times the channels.")] = 1.0,
    image_size: options.ImageSize = None,
    batch_size: Annotated[int, typer.Option(help="Images a training step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="The schedule's peak.")] = 0.02,
    mercury: Annotated[bool, typer.Option("--mercury", help="Minimise the cost with MERCURY.")] = False,
    seed: Annotated[int, typer.Option(help="What weights, data order and search are drawn from.")] = 0,
    jobs: Annotated[int, typer.Option(help="Networks that are trained at a time, each in a process.")] = 1,
    data_root: options.DataRoot = None,
    out: Annotated[
        Path | None, typer.Option(help="Gets everything; runs/shrink-MODEL-DATA by default.")
    ] = None,
    resume: options.Resume = False,
    as_json: options.AsJson = False,
) -> None:
    config = ShrinkConfig(
        model=model, data=data, data_root=data_root, image_size=image_size, width=width,
        train_examples=train_examples, seed=seed, accelerator=accelerator, mercury=mercury,
        model_args=options.parse_model_args(model_args),
        training=TrainingConfig(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate),
    )  # fmt: skip
    folder = out or Path("runs") / f"shrink-{shown_name(model)}-{shown_name(data)}"
    with bars() as progress:
        summary = run_shrink(config, folder, trials, jobs, resume, progress)
    report = write_page(folder, store_command(folder, context))
    if (there := len(summary["trials"])) < trials and not as_json:
        say(f"There are no more than {there} different networks to be found.")
    show(as_json, summary, shrink_table(summary), f"Networks: {folder / 'trials'}\nReport: {report}")
