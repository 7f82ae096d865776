"""``mercuric bench``: how much faster is this machine with reuse, and at what error?"""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from mercuric.config import Config
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.studies.bench import (
    attention as bench_attention,
)
from mercuric.studies.bench import (
    conv as bench_conv,
)
from mercuric.studies.bench import (
    linear as bench_linear,
)
from mercuric.studies.bench import (
    principal as bench_principal,
)
from mercuric.studies.bench import table as tables
from mercuric.studies.bench import (
    train as bench_train,
)
from mercuric.studies.bench.options import (
    Clock,
    Compile,
    DataRoot,
    Dtype,
    Json,
    Out,
    Quick,
    Ranks,
    Rounds,
    Seed,
)
from mercuric.studies.bench.settings import BenchSettings
from mercuric.studies.front.command import front
from mercuric.studies.machine import machine
from mercuric.subjects.layer_inputs import Subject, vision_transformer, zoo_subject
from mercuric.subjects.loaded_network import NetworkConfig
from mercuric.terminal.console import errors, output
from mercuric.terminal.failures import one_sentence
from mercuric.terminal.options import parse_ranks
from mercuric.terminal.progress import part_bar

app = typer.Typer(
    help="Time layers and networks on this machine's CPU, dense beside reuse.", no_args_is_help=True
)

app.command()(front)

Shown = tuple[str, pd.DataFrame, tables.Columns | None]
"""Title, figures, and columns; None for the columns of timed layers."""

_VIT_LAYERS = ("blocks.5.attn.qkv", "blocks.5.mlp.fc1", "blocks.5.mlp.fc2")
_TRANSFORMER_LAYERS = ("encoder.1.linear1", "encoder.1.linear2")
_TITLES = {"planted": "planted duplicates", "directions": "directions", "activations": "activations"}
_SPREAD = (
    "times: how much faster than the strongest dense form, median (first to third quartile) of rounds in "
    "turn; both: forward and backward"
)


@app.command()
def conv(
    rank: Ranks = "0.125,0.25,0.5",
    network: Annotated[
        bool, typer.Option(help="Time layers of VGG16 with HED's weights on photographs, too.")
    ] = True,
    rounds: Rounds = 5,
    dtype: Dtype = "float32",
    compiled: Compile = False,
    clock: Clock = "wall",
    seed: Seed = 0,
    quick: Quick = False,
    data_root: DataRoot = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Convolutions: planted duplicates, principal directions, and activations of VGG16."""
    with one_sentence():
        settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
        ranks = parse_ranks(rank)
        activations = network and not quick
        shapes = bench_conv.QUICK_SHAPES if quick else bench_conv.SHAPES
        with part_bar(errors()) as tell:
            subject = _vgg16(data_root) if activations else None
            planted = bench_conv.bench_conv(settings, shapes, network=None, tell=tell)
            chosen = bench_principal.QUICK_SHAPES if quick else bench_principal.SHAPES
            thin = bench_principal.bench_ranks(settings, chosen, ranks, tell)
            read = (
                None
                if subject is None
                else bench_principal.bench_activations(subject, settings, ranks=ranks, tell=tell)
            )
        _show("conv", settings, out, as_json, _layers(planted=planted, directions=thin, activations=read))


@app.command()
def linear(
    rank: Ranks = "0.25",
    network: Annotated[
        Literal["vit", "transformer", "none"],
        typer.Option(help="Whose activations are taken: ViT-S/16 or the zoo's Transformer, random weights."),
    ] = "vit",
    images: Annotated[int, typer.Option(help="Images or sentence pairs that the network reads.")] = 4,
    rounds: Rounds = 5,
    dtype: Dtype = "float32",
    compiled: Compile = False,
    clock: Clock = "wall",
    seed: Seed = 0,
    quick: Quick = False,
    data_root: DataRoot = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Fully connected layers: planted duplicates, principal directions, and a network's activations."""
    with one_sentence():
        settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
        ranks = parse_ranks(rank)
        shapes = bench_linear.QUICK_SHAPES if quick else bench_linear.SHAPES
        with part_bar(errors()) as tell:
            planted = bench_linear.bench_linear(settings, shapes, ranks=ranks, tell=tell)
            read = None
            if network != "none" and not quick:
                subject = _attending(network, images, seed, data_root)
                layers = _VIT_LAYERS if network == "vit" else _TRANSFORMER_LAYERS
                read = bench_principal.bench_activations(subject, settings, layers, ranks, (24,), tell)
        _show("linear", settings, out, as_json, _layers(planted=planted, activations=read))


@app.command()
def attention(
    network: Annotated[
        Literal["vit", "none"], typer.Option(help="Whose queries are taken: ViT-S/16, random weights.")
    ] = "vit",
    images: Annotated[int, typer.Option(help="Images that the network reads.")] = 4,
    rounds: Rounds = 5,
    dtype: Dtype = "float32",
    compiled: Compile = False,
    clock: Clock = "wall",
    seed: Seed = 0,
    quick: Quick = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Attention: planted duplicates among the queries, and a network's own queries."""
    with one_sentence():
        settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
        shapes = bench_attention.QUICK_SHAPES if quick else bench_attention.SHAPES
        with part_bar(errors()) as tell:
            planted = bench_attention.bench_attention(settings, shapes, tell=tell)
            read = None
            if network != "none" and not quick:
                subject = _attending(network, images, seed, None)
                read = bench_attention.bench_attention_activations(subject, settings, tell=tell)
        _show("attention", settings, out, as_json, _layers(planted=planted, activations=read))


@app.command()
def train(
    networks: Annotated[
        list[str] | None, typer.Argument(help="Of the zoo; vgg16, resnet34 and resnet50 by default.")
    ] = None,
    image_size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 224,
    batch: Annotated[int | None, typer.Option(help="Images a step; 4 above 64 pixels, else 64.")] = None,
    data: Annotated[str, typer.Option(help="A data set of images.")] = "photos",
    rank: Annotated[
        str, typer.Option(help="Directions a layer: a number, or a share of its filters.")
    ] = "0.25",
    noise: Annotated[bool, typer.Option("--noise", help="White noise in place of the images.")] = False,
    forward: Annotated[bool, typer.Option("--forward", help="Time inference.")] = False,
    memory: Annotated[bool, typer.Option(help="Measure peak memory, in processes of their own.")] = True,
    rounds: Rounds = 3,
    dtype: Dtype = "float32",
    compiled: Compile = False,
    clock: Clock = "wall",
    seed: Seed = 0,
    quick: Quick = False,
    data_root: DataRoot = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Whole training steps of NETWORKS, dense and with Directions.fast(), and the layers it keeps."""
    with one_sentence():
        config = bench_train.TrainBench(
            networks=tuple(networks or (("custom-cnn",) if quick else bench_train.NETWORKS)), data=data,
            data_root=data_root, image_size=32 if quick and image_size == 224 else image_size,
            batch=batch or (4 if quick else None), rank=parse_ranks(rank, most=1)[0], noise=noise,
            forward=forward, memory=memory and not quick, rounds=rounds, dtype=dtype, compiled=compiled,
            clock=clock, seed=seed,
        )  # fmt: skip
        with part_bar(errors()) as tell:
            table, layers = bench_train.bench_train(config, tell)
        what = "inference" if forward else "training step"
        images = "white noise" if noise else config.data
        title = f"{what}, {config.images} images of {images} at {config.image_size} x {config.image_size}"
        shown: dict[str, Shown] = {
            "networks": (title, table, tables.train_columns(table)),
            "layers": ("layer by layer, forward and backward", layers, tables.chosen_columns()),
        }
        _show("train", config, out, as_json, shown)


def _show(name: str, config: Config, out: Path | None, as_json: bool, shown: dict[str, Shown]) -> None:
    """Print tables or JSON, and write the figures where a folder is given."""
    figures = {
        "config": config.model_dump(mode="json"), "machine": machine(),
        **{part: records(table) for part, (_, table, _) in shown.items()},
    }  # fmt: skip
    text = json_text(figures)
    if out is not None:
        write_text(out / f"{name}.json", text)
        for part, one in shown.items():
            write_text(out / f"{name}-{part}.csv", one[1].to_csv(index=False))
            parts = [
                f"{title}\n\n{tables.markdown_table(table, columns)}" for title, table, columns in _split(one)
            ]
            which = tables.strongest_dense(one[1])
            write_text(out / f"{name}-{part}.md", "\n".join([*parts, which] if which else parts))
    if as_json:
        typer.echo(text)
        return
    for one in shown.values():
        for title, table, columns in _split(one):
            output().print(tables.terminal_table(table, columns, title))
        if which := tables.strongest_dense(one[1]):
            typer.echo(which)
    typer.echo(_SPREAD)
    if out is not None:
        typer.echo(f"Figures: {out}")


def _layers(**parts: pd.DataFrame | None) -> dict[str, Shown]:
    shown: dict[str, Shown] = {}
    for part, table in parts.items():
        if table is not None:
            shown[part] = (_TITLES[part], table[table["form"] != "dense"], None)
    return shown


def _split(shown: Shown) -> list[tuple[str, pd.DataFrame, tables.Columns]]:
    """The tables of one part: timed layers have one for each thing they read."""
    title, table, columns = shown
    if columns is not None:
        return [(title, table, columns)]
    return [
        (f"{title}: {read}", rows, tables.layer_columns(rows))
        for read, rows in tables.layer_tables(table).items()
    ]


def _vgg16(data_root: str | None) -> Subject:
    return zoo_subject(NetworkConfig(model="vgg16", weights="vgg16-hed", images=2, data_root=data_root))


def _attending(network: str, images: int, seed: int, data_root: str | None) -> Subject:
    if network == "vit":
        return vision_transformer(images, seed)
    return zoo_subject(NetworkConfig(model="transformer", images=images, seed=seed, data_root=data_root))
