"""Which options do commands share, and how do they become a configuration?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mercuric.accelerator import Accelerator, as_accelerator
from mercuric.accelerator.engines.scalesim_files import read_scalesim_config
from mercuric.config import read_mapping
from mercuric.data import own_forms
from mercuric.errors import ArgumentError, MalformedError
from mercuric.files.reading import parse_yaml
from mercuric.reuse import Alike, ReuseConfig
from mercuric.reuse.alike.config import require_alike
from mercuric.subjects.config import RANDOM
from mercuric.subjects.providers.registry import forms
from mercuric.trace import supervised
from mercuric.zoo import pretrained

_FILES = "a file: a training's checkpoint, safetensors or a state dict of torch.save"
WEIGHTS = f"{RANDOM}, {', '.join(pretrained.names())}, or {_FILES}."
"""What ``--weights`` may be."""

NETWORK = f"a network of the zoo, as vgg13, {forms()}"
"""What ``MODEL`` may be."""

Model = Annotated[str, typer.Argument(help=f"{NETWORK[0].upper()}{NETWORK[1:]}.")]
ModelArgs = Annotated[
    list[str] | None,
    typer.Option(
        help="KEY=VALUE that a network of one's own, of timm, torchvision or hf is made with; repeatable."
    ),
]
_DATA = f"see mercuric data list; of your own {own_forms()}"
Images = Annotated[str, typer.Option(help=f"A data set; {_DATA}.")]
Data = Annotated[str | None, typer.Option(help=f"A data set, photos or help-en-de by default; {_DATA}.")]
DataRoot = Annotated[str | None, typer.Option(help="Where data sets and weights lie.")]
Weights = Annotated[str, typer.Option(help=WEIGHTS)]
ImageSize = Annotated[int | None, typer.Option(help="Side of the images in pixels.")]
BatchImages = Annotated[
    int | None, typer.Option(help="Images in the batch; 16, or 2 above 64 pixels, by default.")
]
AtOnce = Annotated[
    int | None, typer.Option(help="Examples that run at once; as many as memory surely holds by default.")
]
TrainExamples = Annotated[
    int | None, typer.Option(help="Train on so many examples, drawn once; all by default.")
]
Bits = Annotated[int, typer.Option(help="Signature length, 1 to 64.")]
Seed = Annotated[int, typer.Option(help="Seed of random weights and of what else is drawn.")]
Hardware = Annotated[str, typer.Option(help="The hardware, by name or YAML file.")]
ReuseFile = Annotated[Path | None, typer.Option(help="YAML of the reuse configuration.")]
Inference = Annotated[bool, typer.Option("--inference", help="Count the forward product alone.")]
Gradients = Annotated[
    supervised.Gradients | None,
    typer.Option(
        help="Whose Hitmap dO goes by: its layer's of the forward pass, as by default, or that of gradient "
        "vectors of its own, from labels and a loss."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Networks that run at a time, each in a process; 1, or with --ray one a CPU, by default."
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        help="Spread the work by Ray: local, for this machine's CPUs, or a cluster whose nodes share --out, "
        "as 10.0.0.1:6379."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures instead of tables.")]


def parse_seeds(text: str) -> tuple[int, ...]:
    """``"0,1,2"`` as numbers; raises as :func:`parse_numbers`."""
    return parse_numbers("seeds", text, "0,1,2")


def parse_threads(text: str) -> tuple[int, ...]:
    """``"1,8"`` as numbers; raises as :func:`parse_numbers`."""
    return parse_numbers("threads", text, "1,8")


def parse_numbers(name: str, text: str, example: str) -> tuple[int, ...]:
    """``"16,32"`` as numbers.

    Args:
        name: of the option, without dashes.
        text: what it was given.
        example: of what it must be.

    Raises:
        ValueError: anything else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(
            f"{name} was {text!r}, but must be whole numbers with commas between, as {example}"
        ) from None


def parse_ranks(text: str, most: int | None = None) -> tuple[int | float, ...]:
    """``"32,0.25"`` as numbers: whole ones are directions, others shares of a layer's filters.

    Raises:
        ValueError: anything else, or more than ``most``.
    """
    try:
        ranks = tuple(int(part) if part.strip().isdecimal() else float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentError(
            f"rank was {text!r}, but must be numbers with commas between, as 32 or 0.125,0.25"
        ) from None
    if most is not None and len(ranks) > most:
        raise ArgumentError(f"rank was {text!r}, but must be {most} number")
    for rank in ranks:
        if rank < 1 if isinstance(rank, int) else not 0 < rank < 1:
            raise ArgumentError(
                f"rank was {rank}, but must be a whole number from 1 or a share between 0 and 1"
            )
    return ranks


def simulated_reuse(path: Path | None) -> Alike | None:
    """How a simulation finds similarity: the paper's form, with what the YAML file says on top.

    Raises:
        ValueError: no such file, or its contents are wrong.
    """
    if path is None:
        return None
    fields = read_mapping(path)
    try:
        require_alike(ReuseConfig(**fields))
        return Alike.paper(**fields)
    except ValueError as error:
        raise ArgumentError(f"{path}: {error}") from None


def chosen_accelerator(
    name: str | None, scalesim_config: Path | None, settings: Sequence[str]
) -> Accelerator:
    """The accelerator that is named, or that SCALE-Sim's file describes, with the fields that are set.

    Args:
        name: a preset, or a YAML file; ``"eyeriss-168"`` where neither is given.
        scalesim_config: a .cfg file of SCALE-Sim.
        settings: ``"design=asynchronous"`` and the like.

    Raises:
        ValueError: both are given, an unknown name or field, or a value out of range.
        MercuricError: SCALE-Sim's file is wrong.
    """
    if name is not None and scalesim_config is not None:
        raise ArgumentError(
            f"accelerator was {name!r}, but with a SCALE-Sim configuration it must not be given"
        )
    known = (
        as_accelerator(name or "eyeriss-168")
        if scalesim_config is None
        else read_scalesim_config(scalesim_config)
    )
    fields = {name: value for name, (value,) in parse_settings(settings).items()}
    if not fields:
        return known
    return known.changed(**{"name": f"{known.name} with {', '.join(settings)}", **fields})


def parse_settings(settings: Sequence[str], most: int | None = 1) -> dict[str, tuple[Any, ...]]:
    """``["ways=2,4"]`` as fields and their values, each read as YAML.

    Args:
        settings: of ``--set``.
        most: values of a field; None: any number.

    Raises:
        ValueError: something else, a field twice, or a value that is empty, no plain YAML or one too many.
    """
    form = "FIELD=VALUE, as design=asynchronous" if most == 1 else "FIELD=VALUE,VALUE,..., as ways=4,16"
    read: dict[str, tuple[Any, ...]] = {}
    for text in settings:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise ArgumentError(f"set was {text!r}, but must be {form}")
        if name in read:
            raise ArgumentError(
                f"set was {', '.join(settings)}, but must name each field once: {name} is twice"
            )
        read[name] = tuple(_plain(text, value) for value in (values.split(",") if most != 1 else [values]))
    return read


def parse_model_args(given: Sequence[str] | None) -> dict[str, Any]:
    """``["depth=18", "widths=[16, 32]"]`` as arguments of a network, each value read as YAML.

    Raises:
        ValueError: something else, an argument twice, or a value that is empty or no YAML.
    """
    read: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier():
            raise ArgumentError(f"model_args was {text!r}, but must be KEY=VALUE, as depth=18")
        if name in read:
            raise ArgumentError(f"model_args named {name} twice, but must name each argument once")
        read[name] = _value("model_args", text, value)
    return read


def _plain(setting: str, text: str) -> Any:
    value = _value("set", setting, text)
    if isinstance(value, str | int | float) or value is None:
        return value
    raise ArgumentError(f"set was {setting!r}, but must be a plain value after the =")


def _value(option: str, setting: str, text: str) -> Any:
    if not text.strip():
        raise ArgumentError(
            f"{option} was {setting!r}, but must have a value (null for none): is a variable empty?"
        )
    try:
        return parse_yaml(text, "the value")
    except MalformedError:
        raise ArgumentError(f"{option} was {setting!r}, but must be a plain YAML value after the =") from None
