"""``mercuric train``: train a network with reuse, densely, or both."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mercuric.config import read_mapping
from mercuric.files.json_text import json_text
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.direction_layers import direction_table
from mercuric.studies.train.layers import read_layers
from mercuric.studies.train.page import write_report
from mercuric.studies.train.study import compare
from mercuric.studies.train.terminal import layer_table, summary_table
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import fast_reuse, merge, parse_seeds
from mercuric.terminal.progress import training_bars

STOPPED = "stopped; what was saved is kept, and the same command with --resume goes on from it"


def train(
    model: Annotated[str, typer.Argument(help="A network of the zoo, as vgg13, or transformer.")],
    data: Annotated[str | None, typer.Option(help="A data set; see mercuric data list.")] = None,
    compare_dense: Annotated[
        bool, typer.Option("--compare", help="Train densely too, with the same data and initial weights.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="Train in principal directions, with Directions.fast().")
    ] = False,
    rank: Annotated[
        str | None, typer.Option(help="With --fast: directions a layer, a number or a share of its filters.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training examples.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    width: Annotated[
        float | None, typer.Option(help="Channels (or features) of each layer, times this.")
    ] = None,
    train_examples: Annotated[
        int | None, typer.Option(help="Train on so many examples, drawn once for all runs; all by default.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds with commas between, as 0,1,2.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with any field of a run's config.yaml.")] = None,
    data_root: Annotated[str | None, typer.Option(help="Where the data set's files lie.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/MODEL-DATA by default.")] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with a run; it may get more epochs and more seeds."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
) -> None:
    """Train MODEL with MERCURY or --fast (and densely, with --compare); write a folder with a report."""
    with one_sentence(STOPPED):
        given = {
            "model": model,
            "data": data,
            "data_root": data_root,
            "width": width,
            "train_examples": train_examples,
            "seeds": None if seeds is None else parse_seeds(seeds),
            "runs": ("dense", "reuse") if compare_dense else None,
            "reuse": fast_reuse(fast, rank),
            "training": {"epochs": epochs, "batch_size": batch_size},
        }
        settings, folder = _settings(given, config, out, resume)
        console = errors()
        with training_bars(console) as tell:
            summary = compare(settings, folder, resume, tell)
        report = write_report(folder)
        if as_json:
            typer.echo(json_text(summary))
            return
        _print_tables(folder, summary)
        typer.echo(f"Report: {report}")


def _settings(
    given: dict[str, Any], config: Path | None, out: Path | None, resume: bool
) -> tuple[RunConfig, Path]:
    base = {} if config is None else read_mapping(config)
    wanted = merge(base, given)
    folder = out or Path("runs") / f"{wanted.model}-{wanted.data}"
    saved = folder / "config.yaml"
    if resume and config is None and saved.exists():
        return merge(read_mapping(saved), given), folder
    return wanted, folder


def _print_tables(folder: Path, summary: dict[str, Any]) -> None:
    console = output()
    if "reuse" in summary:
        layers = read_layers(folder / "layers.csv")
        console.print(direction_table(layers) if "rank" in layers else layer_table(layers))
    console.print(summary_table(summary))
