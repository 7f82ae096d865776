"""``mercuric models``: which networks there are, and what MERCURY does with their layers."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.studies.models.study import (
    KINDS,
    SMALL_IMAGE,
    UNDER_MERCURY,
    NetworkCount,
    SentencePair,
    count_network,
    published_image_size,
)
from mercuric.studies.models.table import kinds_table, model_table, models_table, translation_table
from mercuric.terminal import options
from mercuric.terminal.console import show


def models(
    name: Annotated[
        str | None, typer.Argument(help=f"For a layer a row, {options.NETWORK}; all of the zoo by default.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help=f"Side of the images in pixels; {SMALL_IMAGE} by default.")
    ] = None,
    model_args: options.ModelArgs = None,
    as_json: options.AsJson = False,
) -> None:
    if name is not None:
        count = count_network(name, image_size, options.parse_model_args(model_args))
        show(as_json, {**_figures(count), "layers": list(map(asdict, count.layers))}, model_table(count))
        return
    if image_size is not None:
        raise ArgumentError(
            f"image_size was {image_size}, but without the name of a network it can't be given"
        )
    images = [
        (count_network(known), count_network(known, published_image_size(known))) for known in zoo.names()
    ]
    translation = count_network(zoo.TRANSFORMER)
    networks = [
        {"name": forms[0].name, "forms": list(map(_figures, forms))} for forms in (*images, (translation,))
    ]
    described = {"networks": networks, "under_mercury": UNDER_MERCURY}
    show(as_json, described, models_table(images), translation_table(translation), kinds_table())


def _figures(count: NetworkCount) -> dict[str, Any]:
    return {
        "name": count.name,
        "reads": "sentences" if isinstance(count.example, SentencePair) else "images",
        **asdict(count.example),
        "parameters": count.parameters,
        "macs": count.macs,
        "macs_beside_layers": count.macs_beside_layers,
        "layers_of_kind": {kind: count.number_of(kind) for kind in KINDS},
    }
