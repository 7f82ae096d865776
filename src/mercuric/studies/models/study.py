"""What layers do the zoo's networks have, and what does MERCURY do in each?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Observation, reuse_
from mercuric.reuse.layer import LayerReuse
from mercuric.subjects.network import try_network
from mercuric.subjects.providers.provider import Opened, Purpose
from mercuric.subjects.providers.registry import ZOO, provider_of

Kind = Literal["convolution", "1x1", "depthwise", "fully connected", "attention"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNDER_MERCURY: dict[Kind, str] = {
    "convolution": "a window of one channel is an input vector, compared within the image and channel",
    "1x1": "fully connected over pixels: the channels of a pixel are an input vector",
    "depthwise": "a window is an input vector, but with one filter a channel a HIT can't pay for its "
    "signature: simulations count that loss, and adaptation turns the layer off",
    "fully connected": "the rows of the minibatch, or of a sentence, are input vectors; with no more outputs "
    "than bits a HIT can't pay either",
    "attention": "a query is an input vector; alike ones of a head share a row of the result if their masks "
    "are the same, so none do in causal self-attention",
}
SMALL_IMAGE = 32
LARGE_IMAGE = 224
LARGE_IMAGES = {"inception-v4": 299}
LARGEST_IMAGE = 4096
CLASSES: dict[zoo.Form, int] = {"cifar": 10, "imagenet": 1000}


@dataclass(frozen=True)
class Image:
    """A colour image as the example that a network is counted on.

    Attributes:
        form: the network's, for small or for large images; None: it is not of the zoo.
        image_size: side in pixels.
        classes: 10 in the small form, 1000 in the large one.
    """

    form: zoo.Form | None
    image_size: int
    classes: int

    def __str__(self) -> str:
        return f"at {self.image_size} px, {self.classes} classes"


@dataclass(frozen=True)
class SentencePair:
    """A sentence and its translation as the example that a network is counted on.

    Attributes:
        source_subwords: length of the sentence.
        target_subwords: length of its translation.
        vocabulary: subwords of both languages.
    """

    source_subwords: int
    target_subwords: int
    vocabulary: int

    def __str__(self) -> str:
        return (
            f"on {self.source_subwords} source and {self.target_subwords} target subwords, "
            f"vocabulary of {self.vocabulary}"
        )


SENTENCE_PAIR = SentencePair(source_subwords=12, target_subwords=14, vocabulary=8000)


@dataclass(frozen=True)
class Layer:
    """One layer's product, for one example; a layer with two products is there twice.

    Attributes:
        name: the layer's name in the network.
        kind: what MERCURY treats it as.
        vectors: input vectors of an example, over all its channels or heads.
        length: elements of an input vector.
        filters: dot products that each input vector takes part in.
        macs: multiply-accumulates of the dense forward pass.
    """

    name: str
    kind: Kind
    vectors: int
    length: int
    filters: int
    macs: int


@dataclass(frozen=True)
class NetworkCount:
    """One form of a network, counted.

    Attributes:
        name: the network's name.
        example: what it was counted on.
        parameters: of the whole network.
        layers: in the order of the forward pass.
        macs_beside_layers: multiply-accumulates of products that no layer makes.
    """

    name: str
    example: Image | SentencePair
    parameters: int
    layers: tuple[Layer, ...]
    macs_beside_layers: int = 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one example's dense forward pass."""
        return sum(layer.macs for layer in self.layers) + self.macs_beside_layers

    def number_of(self, kind: Kind) -> int:
        """Layers of that kind."""
        return len({layer.name for layer in self.layers if layer.kind == kind})


def published_image_size(name: str) -> int:
    """Side in pixels of the ImageNet crops that the network was published for."""
    return LARGE_IMAGES.get(name, LARGE_IMAGE)


def count_network(
    name: str, image_size: int | None = None, model_args: Mapping[str, Any] | None = None
) -> NetworkCount:
    """Count a network; of the zoo without memory for its weights: shapes alone run through it.

    Args:
        name: of the zoo, or of another provider, which is counted on one colour image.
        image_size: side in pixels, for a network that reads images; by default what it was made for, else 32.
            One that reads sentences is counted on ``SENTENCE_PAIR``.
        model_args: arguments of a network that is not of the zoo.

    Raises:
        ValueError: an unknown name, images that are too small or of more than 4096 pixels a side, or
            an image size for a network that reads sentences.
    """
    provider = provider_of(name)
    if provider is not ZOO:
        return _own(name, provider.open(name, model_args or {}), image_size)
    if model_args:
        provider.open(name, model_args)
    if zoo.reads(name) == "images":
        return _on_image(name, SMALL_IMAGE if image_size is None else image_size)
    if image_size is not None:
        raise ArgumentError(f"image_size was {image_size}, but {name} reads sentences and can't be given one")
    return _on_sentence_pair(name, SENTENCE_PAIR)


def _own(name: str, opened: Opened, image_size: int | None) -> NetworkCount:
    size = image_size or opened.image_size or SMALL_IMAGE
    example = Image(None, size, CLASSES[zoo.form(size)])
    network = opened.build(Purpose(example.classes, 3, size))
    image = torch.zeros(opened.batch or 1, 3, size, size)
    try_network(network, image)
    return NetworkCount(name, example, _parameters(network), _layers(network, image))


def _on_image(name: str, image_size: int) -> NetworkCount:
    if image_size > LARGEST_IMAGE:
        raise ArgumentError(
            f"image_size was {image_size}, but it must be at most {LARGEST_IMAGE} pixels a side"
        )
    form = zoo.form(image_size)
    example = Image(form, image_size, CLASSES[form])
    with torch.device("meta"):
        network = zoo.build(name, example.classes, image_size=image_size)
        layers = _layers(network, torch.empty(1, 3, image_size, image_size))
    return NetworkCount(name, example, _parameters(network), layers)


def _on_sentence_pair(name: str, example: SentencePair) -> NetworkCount:
    with torch.device("meta"):
        network = zoo.build_transformer(example.vocabulary)
        lengths = (example.source_subwords, example.target_subwords)
        layers = _layers(network, *(torch.empty(1, length, dtype=torch.int64) for length in lengths))
    output = example.target_subwords * network.embedding.weight.numel()
    return NetworkCount(name, example, _parameters(network), layers, output)


def _parameters(network: nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


def _layers(network: nn.Module, *inputs: Tensor) -> tuple[Layer, ...]:
    handle = reuse_(network, Alike.paper())
    handle.switch_off()
    found: list[Layer] = []

    def note(seen: Observation) -> None:
        kind = kind_of(handle.layers[seen.layer], network)
        vectors = seen.shape.scopes * seen.shape.vectors
        found.append(Layer(seen.layer, kind, vectors, seen.shape.length, seen.shape.filters, seen.shape.macs))

    handle.observe(note)
    with torch.no_grad():
        network.eval()(*inputs)
    return tuple(found)


def kind_of(layer: LayerReuse, network: nn.Module) -> Kind:
    """What MERCURY treats a reuse layer of ``network`` as."""
    if layer.kind != "conv":
        return "fully connected" if layer.kind == "linear" else "attention"
    conv: Any = network.get_submodule(layer.name)
    geometry = conv._mercuric_kind.geometry(conv)
    if geometry.groups == geometry.in_channels > 1:
        return "depthwise"
    return "1x1" if geometry.taps == 1 else "convolution"
