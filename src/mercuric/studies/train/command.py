"""``mercuric train``: train a network with reuse, densely, or both."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mercuric.config import read_mapping
from mercuric.errors import ArgumentError
from mercuric.reuse import Equal, ReuseConfig
from mercuric.studies.stored_command import store_command
from mercuric.studies.train.config import LAYERS, RunConfig, RunName
from mercuric.studies.train.layers import read_layers
from mercuric.studies.train.page import write_page
from mercuric.studies.train.study import compare
from mercuric.studies.train.summary_file import parse_summary
from mercuric.studies.train.terminal import summary_table
from mercuric.studies.train.words.known import words_of
from mercuric.subjects.config import shown_name
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars
from mercuric.training.ranks import joined, own_folder


def train(
    context: typer.Context,
    model: options.Model,
    model_args: options.ModelArgs = None,
    data: options.Data = None,
    compare_dense: Annotated[
        bool, typer.Option("--compare", help="Train densely too, with the same data and initial weights.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="Train in principal directions, with Directions.fast().")
    ] = False,
    rank: Annotated[
        str | None, typer.Option(help="With --fast: directions a layer, a number or a share of its filters.")
    ] = None,
    equal: Annotated[
        bool, typer.Option("--equal", help="Train with exact reuse: equal vectors are computed once.")
    ] = False,
    levels: Annotated[
        int | None, typer.Option(help="With --equal: round the input, once, to so many values.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option(help="With --equal: vectors share in the whole batch, or in an image.")
    ] = None,
    most: Annotated[
        float | None,
        typer.Option(help="With --equal: a layer is dense where more than this share of its vectors differ."),
    ] = None,
    mercury: Annotated[
        bool,
        typer.Option("--mercury", help="With --equal or --fast: train with MERCURY, simulated, too."),
    ] = False,
    accelerator: Annotated[
        str | None, typer.Option(help="The hardware MERCURY is simulated in, by name or YAML file.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training examples.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd or adamw.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The schedule's peak.")] = None,
    width: Annotated[
        float | None, typer.Option(help="Channels (or features) of each layer, times this.")
    ] = None,
    image_size: options.ImageSize = None,
    train_examples: options.TrainExamples = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds with commas between, as 0,1,2.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with any field of a run's config.yaml.")] = None,
    data_root: options.DataRoot = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/MODEL-DATA by default.")] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with a run; it may get more epochs and more seeds."),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    given = {
        "model": model,
        "model_args": options.parse_model_args(model_args) or None,
        "data": data,
        "data_root": data_root,
        "width": width,
        "train_examples": train_examples,
        "seeds": None if seeds is None else options.parse_seeds(seeds),
        "image_size": image_size,
        "accelerator": accelerator,
        "runs": _runs(compare_dense, mercury),
        "reuse": _method(fast, rank, equal, {"levels": levels, "scope": scope, "most": most}),
        "training": {
            "epochs": epochs, "batch_size": batch_size, "optimizer": optimizer,
            "learning_rate": learning_rate,
        },
    }  # fmt: skip
    settings, folder = _settings(given, config, out, resume)
    with joined() as place, own_folder(folder) as own:
        if place > 0:
            compare(settings, own, resume)
            return
        with bars() as progress:
            summary = compare(settings, folder, resume, progress)
    report = write_page(folder, store_command(folder, context, more=resume))
    show(as_json, summary, *_tables(folder, summary), f"Report: {report}")


def _settings(
    given: dict[str, Any], config: Path | None, out: Path | None, resume: bool
) -> tuple[RunConfig, Path]:
    base = {} if config is None else read_mapping(config)
    wanted = _merge(base, given)
    folder = out or Path("runs") / f"{shown_name(wanted.model)}-{shown_name(wanted.data)}"
    saved = folder / "config.yaml"
    if resume and config is None and saved.exists():
        return _merge(read_mapping(saved), given), folder
    return wanted, folder


def _tables(folder: Path, summary: dict[str, Any]) -> list[Table]:
    told = words_of(parse_summary(summary))
    layers = [words.table(read_layers(folder / LAYERS[run])) for run, words in told.items()]
    return [*layers, summary_table(summary)]


def _runs(compare_dense: bool, mercury: bool) -> tuple[RunName, ...] | None:
    """What is trained, or None where nothing was said of it."""
    if not (compare_dense or mercury):
        return None
    before: tuple[RunName, ...] = ("dense",) if compare_dense else ()
    return (*before, "reuse", "mercury") if mercury else (*before, "reuse")


def _method(fast: bool, rank: str | None, equal: bool, settings: Mapping[str, Any]) -> ReuseConfig | None:
    """The method of ``--fast`` or ``--equal`` with its settings, or None where neither was asked for.

    Raises:
        ValueError: both were asked for, or a setting is wrong or was given without its method.
    """
    if fast and equal:
        raise ArgumentError("fast and equal were both given, but a network must compute by one method")
    given = {name: value for name, value in settings.items() if value is not None}
    if equal:
        _require_none("rank", rank, "--fast, whose directions it counts")
        return Equal(**given)
    for name, value in given.items():
        _require_none(name, value, "--equal, which it is a setting of")
    return _fast_reuse(fast, rank)


def _require_none(name: str, value: object, method: str) -> None:
    if value is not None:
        raise ArgumentError(f"{name} was {value!r}, but must be given with {method}")


def _fast_reuse(fast: bool, rank: str | None) -> ReuseConfig | None:
    """``Directions.fast()`` with the rank that was given, or None where it was not asked for.

    Raises:
        ValueError: the rank is none, or was given alone.
    """
    if not fast:
        _require_none("rank", rank, "--fast, whose directions it counts")
        return None
    if rank is None:
        return ReuseConfig.fast()
    (one,) = options.parse_ranks(rank, most=1)
    return ReuseConfig.fast(one)


def _merge(base: dict[str, Any], given: dict[str, Any]) -> RunConfig:
    """A run's configuration: ``base``, with the options that were given on top.

    Args:
        base: fields of a :class:`RunConfig`, as read from a file.
        given: the same fields; None stands for "not given"; ``training`` is merged key by key.

    Raises:
        ValueError: an unknown key or a wrong value.
    """
    chosen = {key: value for key, value in given.items() if value is not None and key != "training"}
    training = {key: value for key, value in given["training"].items() if value is not None}
    merged = {**base, **chosen}
    before = base.get("training") or {}
    if training and isinstance(before, dict):
        merged["training"] = {**before, **training}
    return RunConfig(**merged)
