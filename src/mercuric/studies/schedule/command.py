"""``mercuric bench schedule``: every way to finish sooner, at equal seconds."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text
from mercuric.files.reading import read_json_object, read_text
from mercuric.files.writing import write_text
from mercuric.studies.bench import table as tables
from mercuric.studies.bench.options import Clock, Quick, Rounds
from mercuric.studies.schedule import texts
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.page import write_page
from mercuric.studies.schedule.study import Found, bench_schedule
from mercuric.studies.schedule.summary import summary, training_rows
from mercuric.studies.schedule.written import FIGURES, Written
from mercuric.studies.stored_command import store_command
from mercuric.studies.workers import Workers
from mercuric.terminal import options
from mercuric.terminal.console import output
from mercuric.terminal.progress import bars

_QUICK: dict[str, Any] = {
    "train_examples": 16, "seconds": None, "epochs": 4, "batch": 4, "batches": (4,), "trials": 1, "rounds": 1,
    "shares": (0.5, 1.0), "compiled": False, "precisions": ("float32",),
    "forms": ("dense", "narrow", "factorize", "pufferfish", "infobatch"),
}  # fmt: skip
_PRECISIONS = {"fastest": ("float32", "bfloat16"), "float32": ("float32",), "bfloat16": ("bfloat16",)}


def schedule(
    context: typer.Context,
    network: Annotated[str | None, typer.Argument(help="A network of the zoo; vgg13 by default.")] = None,
    data: options.Images = "photos",
    image_size: options.ImageSize = None,
    epochs: Annotated[int | None, typer.Option(help="Of dense's whole schedule; 1 by default.")] = None,
    seconds: Annotated[
        float | None, typer.Option(help="That dense's whole schedule takes, instead of --epochs.")
    ] = None,
    train_examples: options.TrainExamples = None,
    augment: Annotated[bool, typer.Option("--augment", help="Random crops and mirror images.")] = False,
    forms: Annotated[str | None, typer.Option(help=f"Of {', '.join(FORMS)}; all by default.")] = None,
    shares: Annotated[
        str | None, typer.Option(help="Of dense's seconds that are filled; 0.25,0.35,0.5,1 by default.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="Of trainings, one after another, as 0,1,2.")] = "0",
    trials: Annotated[
        int | None, typer.Option(help="Learning rates and batches tried for each form; 8 by default.")
    ] = None,
    tuned_at: Annotated[float, typer.Option(help="Share of dense's seconds that a trial fills.")] = 0.25,
    batches: Annotated[
        str | None, typer.Option(help="Images a step that are tried; 32,64,128 by default.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Images a step of each form's first trial; 64 by default.")
    ] = None,
    learning_rates: Annotated[
        str | None, typer.Option(help="Least and most that are tried; 0.005,0.3 by default.")
    ] = None,
    rank: Annotated[float, typer.Option(help="Directions or ranks, as a share of a layer's filters.")] = 0.25,
    width: Annotated[float, typer.Option(help="Channels of the narrower network, times this.")] = 0.5,
    bits: options.Bits = 20,
    dtype: Annotated[
        Literal["fastest", "float32", "bfloat16"],
        typer.Option(help="fastest: each form has the one that is faster for it."),
    ] = "fastest",
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Time torch.compile too; the faster one counts.")
    ] = True,
    rounds: Rounds = 5,
    clock: Clock = "wall",
    jobs: Annotated[
        int | None, typer.Option(help="Trainings at a time; 1, or with --ray one a CPU, by default.")
    ] = None,
    ray: options.Ray = None,
    quick: Quick = False,
    data_root: options.DataRoot = None,
    out: Annotated[Path, typer.Option(help="Gets all figures, and the report.")] = Path(
        "runs/bench-schedule"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what is in --out, or add forms, shares and seeds.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    given = {
        "network": network, "data": data, "data_root": data_root, "image_size": image_size, "epochs": epochs,
        "seconds": seconds, "train_examples": train_examples, "augment": augment,
        "forms": _words(forms), "shares": _floats("shares", shares, "0.25,0.5,1"),
        "seeds": options.parse_seeds(seeds), "trials": trials, "tuned_at": tuned_at,
        "batch": batch,
        "batches": None if batches is None else options.parse_numbers("batches", batches, "32,64"),
        "learning_rates": _floats("learning_rates", learning_rates, "0.005,0.3"), "rank": rank,
        "width": width, "bits": bits, "precisions": _PRECISIONS[dtype], "compiled": compiled,
        "rounds": rounds, "clock": clock,
    }  # fmt: skip
    known = {key: value for key, value in given.items() if value is not None}
    few = {**_QUICK, **({} if forms is None else {"forms": known["forms"]})}
    config = ScheduleConfig(**{**known, **(few if quick else {})})
    with bars() as progress:
        bench_schedule(
            config, out, resume, progress, lambda found: _write(context, out, config, found),
            Workers(jobs, ray),
        )  # fmt: skip
    _print(out, as_json)


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


def _floats(name: str, text: str | None, example: str) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(
            f"{name} was {text!r}, but must be numbers with commas between, as {example}"
        ) from None


def _write(context: typer.Context, folder: Path, config: ScheduleConfig, found: Found) -> None:
    said = summary(found, config)
    table = texts.wide(Written(said))
    write_text(folder / "schedule.csv", training_rows(found, config).to_csv(index=False))
    write_text(folder / "schedule.md", tables.markdown(table, texts.wide_columns(table)))
    write_text(folder / FIGURES, json_text(said) + "\n")
    write_page(folder, store_command(folder, context))


def _print(folder: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(read_text(folder / FIGURES))
        return
    written = Written(read_json_object(folder / FIGURES))
    table = texts.wide(written)
    output().print(tables.terminal_table(table, texts.wide_columns(table), written.summary["subject"]))
    beside = (texts.unfilled(written), texts.untuned(written), texts.beside_others(written))
    for sentence in (*texts.verdicts(written), *beside):
        if sentence:
            typer.echo(sentence)
    for what, why in written.left_out.items():
        typer.echo(f"Left out: {what}: {why}.")
    typer.echo(f"Figures: {folder / 'schedule.csv'}\nReport: {folder / 'report.html'}")
