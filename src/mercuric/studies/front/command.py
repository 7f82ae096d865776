"""``mercuric bench front``: how much error, or accuracy of training, buys how much time?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.studies.bench import table as tables
from mercuric.studies.bench.options import Clock, DataRoot, Dtype, Json, Quick, Rounds
from mercuric.studies.finished import store_command
from mercuric.studies.front.page import write_page
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import HED, FrontBench
from mercuric.studies.front.training import FrontTraining, bench_front_training, described_training
from mercuric.studies.front.verdict import over_seeds, verdicts
from mercuric.studies.machine import machine
from mercuric.terminal.command_line import command_line
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import parse_ranks, parse_seeds
from mercuric.terminal.progress import part_bar
from mercuric.zoo import pretrained

STOPPED = "stopped; trainings that were saved are kept, and the same command with --resume goes on from them"
_QUICK_TRAINING = {"steps": 4, "epochs": None, "ranks": (0.25,), "shorter": (0.5, 1.0)}
_QUICK_FRONT = {
    "bits": (12,), "ranks": (0.25,), "errors": (0.1,), "output_errors": (0.1,), "calibration": 1,
    "batch": 1, "images": 1, "rounds": 1,
}  # fmt: skip
_QUICK_SIZE = 96


def front(
    network: Annotated[
        str,
        typer.Argument(help="vgg16-hed or mobilenet-v2-imagenet; with --weights or --train one of the zoo."),
    ] = "",
    weights: Annotated[
        str | None, typer.Option(help="A training's checkpoint, whose inference or --step is judged.")
    ] = None,
    data: Annotated[str, typer.Option(help="A data set of images.")] = "photos",
    image_size: Annotated[int | None, typer.Option(help="Side of the images in pixels.")] = None,
    images: Annotated[int | None, typer.Option(help="Test images that outputs are judged on.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images that are timed, or trained on in a step.")] = None,
    step: Annotated[bool, typer.Option("--step", help="Time a training step instead of inference.")] = False,
    calibration: Annotated[
        int | None, typer.Option(help="Training images that ranks are fitted on; 28, with --weights 512.")
    ] = None,
    paper: Annotated[bool, typer.Option(help="Judge the paper's form, whose emulation is slow.")] = True,
    train: Annotated[
        bool, typer.Option("--train", help="Train: accuracy against seconds, dense on shorter schedules.")
    ] = False,
    steps: Annotated[int | None, typer.Option(help="Of the longest training; 60 by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the longest training, instead of --steps.")] = None,
    train_examples: Annotated[
        int | None, typer.Option(help="Train on so many images, drawn once; all by default.")
    ] = None,
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
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    clock: Clock = "wall",
    quick: Quick = False,
    data_root: DataRoot = None,
    out: Annotated[Path, typer.Option(help="Gets front.csv, front.json and the report.")] = Path(
        "runs/bench-front"
    ),
    as_json: Json = False,
) -> None:
    """Error, or with --train accuracy, against time: dense, the paper's form, reuse, directions, both."""
    with one_sentence(STOPPED if train else "stopped"):
        shared = {
            "data": data, "data_root": data_root, "rounds": rounds, "dtype": dtype, "clock": clock,
            "image_size": image_size, "batch": batch,
        }  # fmt: skip
        if train:
            if weights is not None:
                raise ArgumentError(f"weights was {weights!r}, but must be left out with --train")
            trained = {
                **shared, "network": network or None, "width": width, "train_examples": train_examples,
                "steps": steps, "epochs": epochs, "ranks": parse_ranks(rank), "shorter": _shares(shorter),
                "seeds": parse_seeds(seeds), "learning_rate": learning_rate,
                **(_QUICK_TRAINING if quick else {}),
            }  # fmt: skip
            described_as, table = _train(FrontTraining(**_given(trained)), out, resume)
        else:
            fields = {"images": images, "calibration": calibration, "step": step, "paper": paper}
            judged = _judged(network, weights, quick, {**shared, **fields})
            described_as, table = _judge(judged, out, quick)
        if as_json:
            typer.echo((out / "front.json").read_text(encoding="utf-8"))
            return
        _print(table, described_as, out)


def _train(config: FrontTraining, folder: Path, resume: bool) -> tuple[str, pd.DataFrame]:
    named = {
        "train": True, "rank": _listed(config, "ranks"), "shorter": _listed(config, "shorter"),
        "seeds": _listed(config, "seeds"),
    }  # fmt: skip
    again = _again(config, config.network, named)
    subject = described_training(config)
    with part_bar(errors()) as tell:
        table = bench_front_training(
            config, folder, resume, tell, lambda rows: _write(folder, subject, config, rows, again)
        )
    return subject, table


def _judge(config: FrontBench, folder: Path, quick: bool) -> tuple[str, pd.DataFrame]:
    with part_bar(errors()) as tell:
        table = bench_front(config, tell)
    named = {"weights": config.weights if config.network else None, "quick": quick}
    again = _again(config, config.network or config.weights, named)
    subject: str = table.attrs["subject"]
    _write(folder, subject, config, table, again if config.paper else f"{again} --no-paper")
    return subject, table


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


def _listed(config: Config, field: str) -> str | None:
    """A list as an option has it, where it is not the default."""
    values = getattr(config, field)
    return None if values == type(config).model_fields[field].default else ",".join(f"{v:g}" for v in values)


def _again(config: Config, network: str, named: Mapping[str, object]) -> str:
    lists = {
        "weights", "network", "bits", "ranks", "errors", "output_errors", "shorter", "seeds", "paper",
        "compiled", "seed",
    }  # fmt: skip
    inner = {"augment", "save_every"}
    options = config.model_dump(exclude=lists | inner, exclude_defaults=True)
    return command_line("bench", ["front", network], {**options, **named})


def _write(folder: Path, subject: str, config: Config, table: pd.DataFrame, again: str) -> None:
    shown = over_seeds(table) if "accuracy" in table else table
    found = {"subject": subject, "config": config.model_dump(mode="json"), "machine": machine()}
    described_as: dict[str, Any] = {**found, "rows": records(table)}
    if shown is not table:
        described_as["over_seeds"] = records(shown)
    write_text(folder / "front.csv", table.to_csv(index=False))
    write_text(folder / "front.md", tables.markdown_table(shown, tables.front_columns(shown)))
    write_text(folder / "front.json", json_text(described_as))
    write_page(folder, store_command(folder, again))


def _print(table: pd.DataFrame, subject: str, folder: Path) -> None:
    trained = "accuracy" in table
    shown = over_seeds(table) if trained else table
    output().print(tables.terminal_table(shown, tables.front_columns(shown), subject))
    for sentence in verdicts(shown) if trained else []:
        typer.echo(sentence)
    typer.echo(f"Figures: {folder / 'front.csv'}\nReport: {folder / 'report.html'}")
