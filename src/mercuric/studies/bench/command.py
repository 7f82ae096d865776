"""``mercuric bench``: how much faster is this machine with reuse, and at what error?"""

from typing import Annotated, Literal

import pandas as pd
import typer

from mercuric.studies.bench import attention as bench_attention
from mercuric.studies.bench import conv as bench_conv
from mercuric.studies.bench import linear as bench_linear
from mercuric.studies.bench import prefixes as bench_prefixes
from mercuric.studies.bench import principal as bench_principal
from mercuric.studies.bench import table as tables
from mercuric.studies.bench import train as bench_train
from mercuric.studies.bench import trl_steps as bench_trl
from mercuric.studies.bench.options import Clock, Compile, Dtype, Out, Quick, Ranks, Rounds, Seed
from mercuric.studies.bench.settings import BenchSettings
from mercuric.studies.bench.shown import Shown, show_tables
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.layer_inputs import Subject, vision_transformer, zoo_subject
from mercuric.terminal import options
from mercuric.terminal.progress import bars

_VIT_LAYERS = ("blocks.5.attn.qkv", "blocks.5.mlp.fc1", "blocks.5.mlp.fc2")
_TRANSFORMER_LAYERS = ("encoder.1.linear1", "encoder.1.linear2")
_TITLES = {"planted": "planted duplicates", "directions": "directions", "activations": "activations"}


def conv(
    context: typer.Context,
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
    data_root: options.DataRoot = None,
    out: Out = None,
    as_json: options.AsJson = False,
) -> None:
    settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
    ranks = options.parse_ranks(rank)
    activations = network and not quick
    shapes = bench_conv.QUICK_SHAPES if quick else bench_conv.SHAPES
    with bars() as progress:
        subject = _vgg16(data_root) if activations else None
        planted = bench_conv.bench_conv(settings, shapes, progress=progress)
        chosen = bench_principal.QUICK_SHAPES if quick else bench_principal.SHAPES
        thin = bench_principal.bench_ranks(settings, chosen, ranks, progress)
        read = (
            None
            if subject is None
            else bench_principal.bench_activations(subject, settings, ranks=ranks, progress=progress)
        )
    show_tables(
        context, "conv", settings, out, as_json, _layers(planted=planted, directions=thin, activations=read)
    )


def linear(
    context: typer.Context,
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
    data_root: options.DataRoot = None,
    out: Out = None,
    as_json: options.AsJson = False,
) -> None:
    settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
    ranks = options.parse_ranks(rank)
    shapes = bench_linear.QUICK_SHAPES if quick else bench_linear.SHAPES
    with bars() as progress:
        planted = bench_linear.bench_linear(settings, shapes, ranks=ranks, progress=progress)
        read = None
        if network != "none" and not quick:
            subject = _attending(network, images, seed, data_root)
            layers = _VIT_LAYERS if network == "vit" else _TRANSFORMER_LAYERS
            read = bench_principal.bench_activations(subject, settings, layers, ranks, (24,), progress)
    show_tables(context, "linear", settings, out, as_json, _layers(planted=planted, activations=read))


def attention(
    context: typer.Context,
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
    as_json: options.AsJson = False,
) -> None:
    settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
    shapes = bench_attention.QUICK_SHAPES if quick else bench_attention.SHAPES
    with bars() as progress:
        planted = bench_attention.bench_attention(settings, shapes, progress=progress)
        read = None
        if network != "none" and not quick:
            subject = _attending(network, images, seed, None)
            read = bench_attention.bench_attention_activations(subject, settings, progress=progress)
    show_tables(context, "attention", settings, out, as_json, _layers(planted=planted, activations=read))


def train(
    context: typer.Context,
    networks: Annotated[
        list[str] | None,
        typer.Argument(help=f"Vgg16, resnet34 and resnet50 by default; each {options.NETWORK}."),
    ] = None,
    model_args: options.ModelArgs = None,
    image_size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 224,
    batch: Annotated[int | None, typer.Option(help="Images a step; 4 above 64 pixels, else 64.")] = None,
    data: options.Images = "photos",
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
    data_root: options.DataRoot = None,
    out: Out = None,
    as_json: options.AsJson = False,
) -> None:
    config = bench_train.TrainBench(
        networks=tuple(networks or (("custom-cnn",) if quick else bench_train.NETWORKS)), data=data,
        data_root=data_root, image_size=32 if quick and image_size == 224 else image_size,
        batch=batch or (4 if quick else None), rank=options.parse_ranks(rank, most=1)[0], noise=noise,
        forward=forward, memory=memory and not quick, rounds=rounds, dtype=dtype, compiled=compiled,
        clock=clock, seed=seed, model_args=options.parse_model_args(model_args),
    )  # fmt: skip
    with bars() as progress:
        table, layers = bench_train.bench_train(config, progress)
    what = "inference" if forward else "training step"
    images = "white noise" if noise else config.data
    title = f"{what}, {config.images} images of {images} at {config.image_size} x {config.image_size}"
    shown: dict[str, Shown] = {
        "networks": (title, table, tables.train_columns(table)),
        "layers": ("layer by layer, forward and backward", layers, tables.chosen_columns()),
    }
    show_tables(context, "train", config, out, as_json, shown)


def prefixes(
    context: typer.Context,
    network: Annotated[
        Literal["llama", "gpt2", "both"], typer.Option(help="4 layers of 256 values, random weights.")
    ] = "both",
    trl: Annotated[bool, typer.Option(help="Time steps of TRL's trainers, too.")] = True,
    rounds: Rounds = 5,
    dtype: Dtype = "float32",
    compiled: Compile = False,
    clock: Clock = "wall",
    seed: Seed = 0,
    quick: Quick = False,
    out: Out = None,
    as_json: options.AsJson = False,
) -> None:
    settings = BenchSettings(rounds=rounds, dtype=dtype, compiled=compiled, clock=clock, seed=seed)
    if trl:
        bench_trl.trl_and_datasets()
    families = bench_prefixes.FAMILIES if network == "both" else (network,)
    with bars() as progress:
        table = bench_prefixes.bench_prefixes(settings, families, quick, progress)
        steps = bench_trl.bench_trl(settings, families, quick, progress) if trl else None
    shown: dict[str, Shown] = {
        "prefixes": (f"a batch as a tree of prefixes ({bench_prefixes.PUBLISHED})", table,
                     tables.prefix_columns(table)),
    }  # fmt: skip
    if steps is not None:
        shown["steps"] = ("whole steps of TRL's trainers", steps, tables.prefix_columns(steps))
    show_tables(context, "prefixes", settings, out, as_json, shown)


def _layers(**parts: pd.DataFrame | None) -> dict[str, Shown]:
    shown: dict[str, Shown] = {}
    for part, table in parts.items():
        if table is not None:
            shown[part] = (_TITLES[part], table[table["form"] != "dense"], None)
    return shown


def _vgg16(data_root: str | None) -> Subject:
    return zoo_subject(ExamplesConfig(model="vgg16", weights="vgg16-hed", images=2, data_root=data_root))


def _attending(network: str, images: int, seed: int, data_root: str | None) -> Subject:
    if network == "vit":
        return vision_transformer(images, seed)
    return zoo_subject(ExamplesConfig(model="transformer", images=images, seed=seed, data_root=data_root))
