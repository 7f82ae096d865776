"""``mercuric shrink``: fewer channels, chosen stage by stage for an accelerator."""

from pathlib import Path
from typing import Annotated

import typer

from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.page import shrink_table, write_page
from mercuric.studies.shrink.study import shrink as run_shrink
from mercuric.studies.stored_command import store_command
from mercuric.terminal.console import say, show
from mercuric.terminal.progress import bars
from mercuric.training import TrainingConfig


def shrink(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A network of the zoo, as resnet18.")],
    accelerator: Annotated[str, typer.Option(help="The hardware, by name or YAML file.")] = "eyeriss-like",
    data: Annotated[str, typer.Option(help="A data set of images; see mercuric data list.")] = "photos",
    trials: Annotated[int, typer.Option(help="Networks to train, the four uniform widths among them.")] = 20,
    epochs: Annotated[int, typer.Option(help="Passes over the training images, for each network.")] = 1,
    train_examples: Annotated[
        int | None, typer.Option(help="Train on so many images; all by default.")
    ] = None,
    width: Annotated[float, typer.Option(help="Start from a network of so many times the channels.")] = 1.0,
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    batch_size: Annotated[int, typer.Option(help="Images a training step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="The schedule's peak.")] = 0.02,
    mercury: Annotated[bool, typer.Option("--mercury", help="Minimise the cost with MERCURY.")] = False,
    seed: Annotated[int, typer.Option(help="What weights, data order and search are drawn from.")] = 0,
    jobs: Annotated[int, typer.Option(help="Networks trained at a time, each in a process.")] = 1,
    data_root: Annotated[str | None, typer.Option(help="Where data sets lie.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Gets everything; runs/shrink-MODEL-DATA by default.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped search.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print shrink.json instead of a table.")] = False,
) -> None:
    config = ShrinkConfig(
        model=model, data=data, data_root=data_root, image_size=image_size, width=width,
        train_examples=train_examples, seed=seed, accelerator=accelerator, mercury=mercury,
        training=TrainingConfig(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate),
    )  # fmt: skip
    folder = out or Path("runs") / f"shrink-{model}-{data}"
    with bars() as progress:
        summary = run_shrink(config, folder, trials, jobs, resume, progress)
    report = write_page(folder, store_command(folder, context))
    if (there := len(summary["trials"])) < trials and not as_json:
        say(f"There are no more than {there} different networks to be found.")
    show(as_json, summary, shrink_table(summary), f"Networks: {folder / 'trials'}\nReport: {report}")
