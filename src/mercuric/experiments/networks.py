"""What layers do the zoo's networks have, and what does MERCURY do in each?"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

from mercuric import zoo
from mercuric.accelerator.workload import Workload, read_workloads

Kind = Literal["convolution", "1x1", "depthwise", "fully connected", "attention"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNDER_MERCURY: dict[Kind, str] = {
    "convolution": "a window of one channel is an input vector, compared within the image and channel",
    "1x1": "fully connected over pixels: the channels of a pixel are an input vector",
    "depthwise": "left dense: with one filter a channel, a HIT can't pay for its signature",
    "fully connected": "the rows of the minibatch are input vectors; dense if outputs are no more than bits",
    "attention": "a query is an input vector; alike ones share a row of the result",
}
SMALL_IMAGE = 32
LARGE_IMAGE = 224
LARGE_IMAGES = {"inception-v4": 299}
LARGEST_IMAGE = 4096
CLASSES: dict[zoo.Form, int] = {"cifar": 10, "imagenet": 1000}


@dataclass(frozen=True)
class Layer:
    """One layer, for one image.

    Attributes:
        name: the module's name in the network.
        kind: what MERCURY treats it as.
        vectors: input vectors an image, over all its channels.
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
        name: the network's name in the zoo.
        form: for small or for large images.
        image_size: side of the image in pixels.
        classes: 10 in the small form, 1000 in the large one.
        parameters: of the whole network, for colour images.
        layers: in the order of the forward pass.
    """

    name: str
    form: zoo.Form
    image_size: int
    classes: int
    parameters: int
    layers: tuple[Layer, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image's dense forward pass."""
        return sum(layer.macs for layer in self.layers)

    def number_of(self, kind: Kind) -> int:
        """Layers of that kind."""
        return sum(layer.kind == kind for layer in self.layers)


def published_image_size(name: str) -> int:
    """Side in pixels of the ImageNet crops that the network was published for."""
    return LARGE_IMAGES.get(name, LARGE_IMAGE)


def count_network(name: str, image_size: int = SMALL_IMAGE) -> NetworkCount:
    """Count a network of the zoo without memory for its weights: shapes alone run through it.

    Raises:
        ValueError: an unknown name, or images that are too small or of more than 4096 pixels a side.
    """
    if image_size > LARGEST_IMAGE:
        raise ValueError(f"image_size was {image_size}, but it must be at most {LARGEST_IMAGE} pixels a side")
    form = zoo.form(image_size)
    with torch.device("meta"):
        network = zoo.build(name, CLASSES[form], image_size=image_size)
        image = torch.empty(1, 3, image_size, image_size)
    parameters = sum(weights.numel() for weights in network.parameters())
    layers = tuple(_layer(network, work) for work in read_workloads(network, image))
    return NetworkCount(name, form, image_size, CLASSES[form], parameters, layers)


def _layer(network: nn.Module, work: Workload) -> Layer:
    shape = work.shape
    kind = kind_of(network.get_submodule(work.layer))
    return Layer(work.layer, kind, shape.scopes * shape.vectors, shape.length, shape.filters, work.macs)


def kind_of(layer: nn.Module) -> Kind:
    """What MERCURY treats a layer with products as: what is neither of torch's two is attention."""
    if isinstance(layer, nn.Linear):
        return "fully connected"
    if not isinstance(layer, nn.Conv2d):
        return "attention"
    if layer.groups == layer.in_channels > 1:
        return "depthwise"
    return "1x1" if layer.kernel_size == (1, 1) else "convolution"
