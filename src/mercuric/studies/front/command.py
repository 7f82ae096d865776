"""``mercuric bench front``: how much error, or with ``--train`` accuracy of training, buys how much time?"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text, records
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text
from mercuric.studies.bench import table as tables
from mercuric.studies.bench.options import Clock, Dtype, Quick, Rounds
from mercuric.studies.front.page import write_page
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import HED, FrontBench
from mercuric.studies.front.training import FrontTraining, bench_front_training, described_training
from mercuric.studies.front.verdict import over_seeds, verdicts
from mercuric.studies.machine import machine
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options
from mercuric.terminal.console import output
from mercuric.terminal.progress import bars
from mercuric.zoo import pretrained

_QUICK_TRAINING = {"steps": 4, "epochs": None, "ranks": (0.25,), "shorter": (0.5, 1.0)}
_QUICK_FRONT = {
    "bits": (12,), "ranks": (0.25,), "errors": (0.1,), "output_errors": (0.1,), "calibration": 1,
    "batch": 1, "images": 1, "rounds": 1,
}  # fmt: skip
_QUICK_SIZE = 96

Batch = Annotated[int | None, typer.Option(help="Images that are timed, or trained on in a step.")]
Out = Annotated[Path, typer.Option(help="Gets front.csv, front.json and the report.")]
_OUT = Path("runs/bench-front")


def judge(
    context: typer.Context,
    network: Annotated[
        str, typer.Argument(help="vgg16-hed or mobilenet-v2-imagenet; with --weights any network.")
    ] = "",
    weights: Annotated[
        str | None, typer.Option(help="A training's checkpoint, whose inference or --step is judged.")
    ] = None,
    model_args: options.ModelArgs = None,
    data: options.Images = "photos",
    image_size: options.ImageSize = None,
    images: Annotated[int | None, typer.Option(help="Test images that outputs are judged on.")] = None,
    batch: Batch = None,
    step: Annotated[bool, typer.Option("--step", help="Time a training step instead of inference.")] = False,
    calibration: Annotated[
        int | None, typer.Option(help="Training images that ranks are fitted on; 28, with --weights 512.")
    ] = None,
    paper: Annotated[bool, typer.Option(help="Judge the paper's form, whose emulation is slow.")] = True,
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    clock: Clock = "wall",
    quick: Quick = False,
    data_root: options.DataRoot = None,
    out: Out = _OUT,
    as_json: options.AsJson = False,
) -> None:
    given = {
        "data": data, "data_root": data_root, "rounds": rounds, "dtype": dtype, "clock": clock,
        "image_size": image_size, "batch": batch, "images": images, "calibration": calibration,
        "step": step, "paper": paper, "model_args": options.parse_model_args(model_args) or None,
    }  # fmt: skip
    config = _judged(network, weights, quick, given)
    with bars() as progress:
        table = bench_front(config, progress)
    subject: str = table.attrs["subject"]
    _write(context, out, subject, config, table)
    _print(table, subject, out, as_json)


def train(
    context: typer.Context,
    network: Annotated[str | None, typer.Argument(help=f"Vgg13 by default; {options.NETWORK}.")] = None,
    model_args: options.ModelArgs = None,
    data: options.Images = "photos",
    image_size: options.ImageSize = None,
    batch: Batch = None,
    steps: Annotated[int | None, typer.Option(help="Of the longest training; 60 by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the longest training, instead of --steps.")] = None,
    train_examples: options.TrainExamples = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak of the trainings' schedules; 0.02 by default.")
    ] = None,
    width: Annotated[float, typer.Option(help="Channels of each layer that trains, times this.")] = 1.0,
    rank: Annotated[str, typer.Option(help="Directions of trainings with fast().")] = "0.125,0.25,0.5",
    shorter: Annotated[
        str, typer.Option(help="Dense schedules, as shares of the longest training.")
    ] = "0.25,0.5,0.75,1",
    seeds: Annotated[str, typer.Option(help="Of trainings, one after another, as 0,1,2.")] = "0",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the trainings in --out, or add seeds to them.")
    ] = False,
    dtype: Dtype = "float32",
    clock: Clock = "wall",
    quick: Quick = False,
    data_root: options.DataRoot = None,
    out: Out = _OUT,
    as_json: options.AsJson = False,
) -> None:
    given = {
        "data": data, "data_root": data_root, "dtype": dtype, "clock": clock,
        "image_size": image_size, "batch": batch, "network": network, "width": width,
        "train_examples": train_examples, "steps": steps, "epochs": epochs, "learning_rate": learning_rate,
        "shorter": _shares(shorter), "seeds": options.parse_seeds(seeds), "ranks": options.parse_ranks(rank),
        "model_args": options.parse_model_args(model_args) or None,
        **(_QUICK_TRAINING if quick else {}),
    }  # fmt: skip
    config = FrontTraining(**_given(given))
    subject = described_training(config)
    with bars() as progress:
        table = bench_front_training(
            config, out, resume, progress, lambda rows: _write(context, out, subject, config, rows)
        )
    _print(table, subject, out, as_json)


def _judged(network: str, weights: str | None, quick: bool, fields: dict[str, Any]) -> FrontBench:
    known = pretrained.names()
    if weights is None and network not in ("", *known):
        raise ArgumentError(
            f"network was {network!r}, but must be one of {', '.join(known)}; or give --weights, a "
            "training's checkpoint, or add --train"
        )
    which = {"weights": network or HED} if weights is None else {"weights": weights, "network": network}
    few = _QUICK_FRONT if quick else {}
    if quick and which["weights"] in known:
        few = {**few, "image_size": _QUICK_SIZE}
    return FrontBench(**{**few, **which, **_given(fields)})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(
            f"shorter was {text!r}, but must be shares with commas between, as 0.5,1"
        ) from None


def _write(context: typer.Context, folder: Path, subject: str, config: Config, table: pd.DataFrame) -> None:
    shown = over_seeds(table) if "accuracy" in table else table
    found = {"subject": subject, "config": config.model_dump(mode="json"), "machine": machine()}
    described_as: dict[str, Any] = {**found, "rows": records(table)}
    if shown is not table:
        described_as["over_seeds"] = records(shown)
    write_text(folder / "front.csv", table.to_csv(index=False))
    write_text(folder / "front.md", tables.markdown(shown, tables.front_columns(shown)))
    write_text(folder / "front.json", json_text(described_as))
    write_page(folder, store_command(folder, context))


def _print(table: pd.DataFrame, subject: str, folder: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(read_text(folder / "front.json"))
        return
    trained = "accuracy" in table
    shown = over_seeds(table) if trained else table
    output().print(tables.terminal_table(shown, tables.front_columns(shown), subject))
    for sentence in verdicts(shown) if trained else []:
        typer.echo(sentence)
    typer.echo(f"Figures: {folder / 'front.csv'}\nReport: {folder / 'report.html'}")
