"""``mercuric bench front``: how much error buys how much time?"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text, records
from mercuric.files.reading import read_text
from mercuric.files.writing import write_text
from mercuric.studies.bench import table as tables
from mercuric.studies.bench.options import Clock, Compile, Dtype, Quick, Rounds
from mercuric.studies.front.page import write_page
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import HED, FrontBench
from mercuric.studies.machine import machine
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options
from mercuric.terminal.console import output
from mercuric.terminal.progress import bars
from mercuric.zoo import pretrained

_QUICK_FRONT = {
    "bits": (12,), "ranks": (0.25,), "errors": (0.1,), "output_errors": (0.1,), "calibration": 1,
    "batch": 1, "images": 1, "rounds": 1, "ends": (0,), "ratios": (0.5,), "shares": (0.5,),
}  # fmt: skip
_QUICK_SIZE = 96


def judge(
    context: typer.Context,
    network: Annotated[
        str, typer.Argument(help="vgg16-hed or mobilenet-v2-imagenet; with --weights any network.")
    ] = "",
    weights: Annotated[
        str | None, typer.Option(help="A training's checkpoint, whose inference or --step is judged.")
    ] = None,
    model_args: options.ModelArgs = None,
    width: Annotated[float, typer.Option(help="Channels of each layer, times this, as in training.")] = 1.0,
    data: options.Images = "photos",
    image_size: options.ImageSize = None,
    images: Annotated[int | None, typer.Option(help="Test images that outputs are judged on.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images that are timed.")] = None,
    step: Annotated[bool, typer.Option("--step", help="Time a training step instead of inference.")] = False,
    calibration: Annotated[
        int | None, typer.Option(help="Training images that ranks are fitted on; 28, with --weights 512.")
    ] = None,
    paper: Annotated[bool, typer.Option(help="Judge the paper's form, whose emulation is slow.")] = True,
    peers: Annotated[bool, typer.Option(help="Judge int8, pruning and other low rank beside them.")] = True,
    forms: Annotated[
        str | None, typer.Option(help="Groups of forms with commas between, as int8; all by default.")
    ] = None,
    compiled: Compile = False,
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    clock: Clock = "wall",
    quick: Quick = False,
    data_root: options.DataRoot = None,
    out: Annotated[Path, typer.Option(help="Gets front.csv, front.json and the report.")] = Path(
        "runs/bench-front"
    ),
    as_json: options.AsJson = False,
) -> None:
    given = {
        "data": data, "data_root": data_root, "rounds": rounds, "dtype": dtype, "clock": clock,
        "image_size": image_size, "batch": batch, "images": images, "calibration": calibration,
        "step": step, "paper": paper, "peers": peers, "compiled": compiled,
        "forms": tuple(one.strip() for one in forms.split(",")) if forms else None,
        "width": width,
        "model_args": options.parse_model_args(model_args) or None,
    }  # fmt: skip
    config = _judged(network, weights, quick, given)
    with bars() as progress:
        table = bench_front(config, progress)
    _write(context, out, config, table)
    _print(table, out, as_json)


def _judged(network: str, weights: str | None, quick: bool, fields: dict[str, Any]) -> FrontBench:
    known = pretrained.names()
    if weights is None and network not in ("", *known):
        raise ArgumentError(
            f"network was {network!r}, but must be one of {', '.join(known)}; or give --weights, a "
            "training's checkpoint"
        )
    which = {"weights": network or HED} if weights is None else {"weights": weights, "network": network}
    few = _QUICK_FRONT if quick else {}
    if quick and which["weights"] in known:
        few = {**few, "image_size": _QUICK_SIZE}
    return FrontBench(**{**few, **which, **_given(fields)})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _write(context: typer.Context, folder: Path, config: FrontBench, table: pd.DataFrame) -> None:
    found = {
        "subject": table.attrs["subject"], "config": config.model_dump(mode="json"), "machine": machine(),
        "left_out": table.attrs["left_out"], "rows": records(table),
    }  # fmt: skip
    write_text(folder / "front.csv", table.to_csv(index=False))
    write_text(folder / "front.md", tables.markdown(table, tables.front_columns(table)))
    write_text(folder / "front.json", json_text(found))
    write_page(folder, store_command(folder, context))


def _print(table: pd.DataFrame, folder: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(read_text(folder / "front.json"))
        return
    output().print(tables.terminal_table(table, tables.front_columns(table), table.attrs["subject"]))
    for sentence in table.attrs["left_out"]:
        typer.echo(f"Left out: {sentence}")
    typer.echo(f"Figures: {folder / 'front.csv'}\nReport: {folder / 'report.html'}")
