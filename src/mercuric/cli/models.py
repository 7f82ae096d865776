"""``mercuric models``: which networks there are, and what MERCURY does with their layers."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mercuric import zoo
from mercuric.cli.failures import one_sentence
from mercuric.experiments.networks import (
    KINDS,
    SMALL_IMAGE,
    UNDER_MERCURY,
    NetworkCount,
    count_network,
    published_image_size,
)
from mercuric.report.models import kinds_table, model_table, models_table


def models(
    name: Annotated[str | None, typer.Argument(help="A network, for a layer a row; all by default.")] = None,
    image_size: Annotated[
        int | None, typer.Option(help=f"Side of the images in pixels; {SMALL_IMAGE} by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures instead of tables.")] = False,
) -> None:
    """List the networks, or the layers of one: parameters, MACs and what MERCURY compares."""
    with one_sentence():
        if name is not None:
            count = count_network(name, SMALL_IMAGE if image_size is None else image_size)
            _show(as_json, {**_figures(count), "layers": list(map(asdict, count.layers))}, model_table(count))
            return
        if image_size is not None:
            raise ValueError(
                f"image_size was {image_size}, but without the name of a network it can't be given"
            )
        counts = [
            (count_network(known), count_network(known, published_image_size(known))) for known in zoo.names()
        ]
        networks = [
            {"name": known.name, "forms": list(map(_figures, (known, large)))} for known, large in counts
        ]
        described = {"networks": networks, "under_mercury": UNDER_MERCURY}
        _show(as_json, described, models_table(counts), kinds_table())


def _figures(count: NetworkCount) -> dict[str, Any]:
    return {
        "name": count.name,
        "form": count.form,
        "image_size": count.image_size,
        "classes": count.classes,
        "parameters": count.parameters,
        "macs": count.macs,
        "layers_of_kind": {kind: count.number_of(kind) for kind in KINDS},
    }


def _show(as_json: bool, described: dict[str, Any], *tables: Table) -> None:
    if as_json:
        typer.echo(json.dumps(described, indent=2))
        return
    console = Console()
    for table in tables:
        console.print(table)
