"""``mercuric evaluate-accuracy``: a trained network's test accuracy with reuse and without."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mercuric.config import read_mapping
from mercuric.errors import ArgumentError
from mercuric.files.reading import parse_yaml
from mercuric.files.writing import write_text
from mercuric.page import formats
from mercuric.reuse import Alike, ReuseConfig
from mercuric.reuse.alike.config import require_alike
from mercuric.studies.evaluate_accuracy.study import EvaluatedAccuracy, evaluated_accuracy
from mercuric.terminal import options
from mercuric.terminal.console import say, show
from mercuric.terminal.progress import bars
from mercuric.zoo import pretrained


def evaluate_accuracy(
    network: options.Model,
    weights: Annotated[
        str, typer.Option(help=f"{', '.join(pretrained.names())}, or a training run's checkpoint.")
    ],
    model_args: options.ModelArgs = None,
    data: options.Images = "photos",
    images: Annotated[
        int | None, typer.Option(help="Test images, drawn by the seed; all by default.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images that run at once.")] = 8,
    image_size: options.ImageSize = None,
    width: Annotated[float, typer.Option(help="Channels of each layer, times this, as in training.")] = 1.0,
    config: options.ReuseFile = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of the reuse configuration; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What the images are drawn by.")] = 0,
    data_root: options.DataRoot = None,
    log: Annotated[Path | None, typer.Option(help="Gets a line a batch, as resnet_val.py's log.")] = None,
    as_json: options.AsJson = False,
) -> None:
    judged = EvaluatedAccuracy(
        model=network, weights=weights, data=data, data_root=data_root, image_size=image_size,
        width=width, images=images, batch=batch, seed=seed, reuse=_reuse(config, settings or []),
        model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    lines: list[str] = []
    with bars() as progress:
        found = evaluated_accuracy(judged, progress, lines.append, say)
    if log is not None:
        write_text(log, "\n".join(lines) + "\n")
    show(as_json, found, _table(found), *([] if log is None else [f"Log: {log}"]))


def _reuse(config: Path | None, settings: list[str]) -> Alike:
    fields: dict[str, Any] = {} if config is None else read_mapping(config)
    given: dict[str, Any] = {}
    for text in settings:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise ArgumentError(f"set was {text!r}, but must be FIELD=VALUE, as bits=20")
        if name in given:
            raise ArgumentError(f"set was {text!r}, but {name} is set already; give each field once")
        given[name] = parse_yaml(value, f"set was {text!r}, whose value")
    return require_alike(ReuseConfig(**fields | given), "the reuse configuration")


def _table(found: dict[str, Any]) -> Table:
    """Two rows, with reuse and without; top-5 where there are more than five classes."""
    reuse = found["reuse"]
    table = Table(
        box=SIMPLE_HEAD,
        caption=f"{found['model']}, {found['weights']}: {found['images']:,} test images of {found['data']}; "
        f"{reuse['bits']} bits, every layer reuses; both forms tell {formats.percent(found['alike'])} alike",
    )
    shares = list(found["without"])
    table.add_column("")
    for name in (*(share.replace("top", "top-") for share in shares), "hits", "of which zero"):
        table.add_column(name, justify="right")
    zero = formats.percent(found["hit_rate"] - found["similar_rate"])
    rows = {
        "with reuse": (found["with_reuse"], [formats.percent(found["hit_rate"]), zero]),
        "without": (found["without"], ["", ""]),
    }
    for name, (accuracy, hits) in rows.items():
        table.add_row(name, *(f"{100 * accuracy[share]:.2f} %" for share in shares), *hits)
    return table
