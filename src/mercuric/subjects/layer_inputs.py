"""What do a network's layers read, on real examples?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mercuric import data
from mercuric.errors import ArgumentError
from mercuric.reuse.layer_kinds import is_product
from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.subject import few, load_subject
from mercuric.trace.normalisation import normalisation_of, normalised
from mercuric.trace.recorder import recording

ATTENTION = torch.nn.functional.scaled_dot_product_attention


@dataclass(frozen=True)
class Subject:
    """A network and one batch of what it reads.

    Attributes:
        network: in evaluation mode.
        inputs: its arguments.
        shown: network, weights and data, as tables name them.
    """

    network: nn.Module
    inputs: tuple[Tensor, ...]
    shown: str


def zoo_subject(config: ExamplesConfig) -> Subject:
    """A network of the zoo on one batch; a Transformer reads sentences.

    Raises:
        ValueError, MercuricError: as :func:`~mercuric.subjects.subject.load_subject`.
    """
    loaded = load_subject(config, config.images)
    [batch] = replace(loaded, batch=config.images).batches()
    arguments = batch if isinstance(batch, tuple) else (batch,)
    kind = "sentence pairs" if len(arguments) > 1 else "images"
    read = f"{config.images} {kind} of {config.data}"
    return Subject(
        loaded.network.eval(), arguments, f"{config.model}, weights {config.drawn_or_from}, {read}"
    )


def vision_transformer(images: int, seed: int) -> Subject:
    """timm's ViT-S/16 with random weights on photographs at 224 x 224.

    Raises:
        ValueError: there are not so many photographs.
    """
    import mercuric.torchvision_operators  # noqa: F401 - timm imports torchvision

    import timm  # isort: skip - takes half a second to import: only who asks for it waits

    photos = data.load_images("photos", None, 224)
    torch.manual_seed(seed)
    network = timm.create_model("vit_small_patch16_224", pretrained=False)
    return Subject(
        network.eval(),
        (photos.train.batch(few(photos.train, images, photos.name))[0],),
        f"ViT-S/16, random weights, {images} images of photos",
    )


def layer_inputs(subject: Subject, names: Sequence[str]) -> dict[str, tuple[nn.Module, Tensor]]:
    """Named layers with the input that each reads first, in one pass without gradients.

    Raises:
        ValueError: the network has no such layer, or the pass does not reach it.
    """
    found: dict[str, tuple[nn.Module, Tensor]] = {}
    modules = dict(subject.network.named_modules())
    for name in names:
        if name not in modules or not is_product(modules[name]):
            known = ", ".join(key for key, module in modules.items() if is_product(module))
            raise ArgumentError(
                f"layer was {name!r}, but must be a convolution or fully connected one: {known}"
            )

    def keep(name: str, layer: nn.Module, given: tuple[Any, ...], _: Any) -> None:
        found.setdefault(name, (layer, given[0].detach()))

    with _inference(subject), recording({name: modules[name] for name in names}, before=keep):
        subject.network(*subject.inputs)
    for name in names:
        if name not in found:
            raise ArgumentError(f"layer was {name!r}, but the network does not run it")
    return found


@contextmanager
def _inference(subject: Subject) -> Iterator[None]:
    by = normalisation_of(subject.network, training=False)
    with torch.no_grad(), normalised(subject.network, by, [subject.inputs]):
        yield


class _Attentions(TorchFunctionMode):
    """Keeps the queries, keys and values of every attention."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[Tensor, Tensor, Tensor]] = []

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is ATTENTION and len(args) >= 3:
            self.kept.append(tuple(tensor.detach() for tensor in args[:3]))
        return func(*args, **(kwargs or {}))


def attention_inputs(subject: Subject) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Queries, keys and values of each ``scaled_dot_product_attention``, in the order of the pass.

    Raises:
        ValueError: the network calls none.
    """
    attentions = _Attentions()
    with _inference(subject), attentions:
        subject.network(*subject.inputs)
    if not attentions.kept:
        raise ArgumentError(f"{subject.shown} calls no scaled_dot_product_attention")
    return attentions.kept
