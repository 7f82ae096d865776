"""Which channels of a network's layers are the same, or must stay or go together?"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.modes import evaluating
from mercuric.zoo.width import has_parameters

Shrinking = nn.Conv2d | nn.Linear | nn.BatchNorm2d
"""Layers that can lose channels."""

_CHANNEL_BY_CHANNEL = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh,
    nn.Hardswish, nn.Hardsigmoid, nn.Dropout, nn.Dropout2d, nn.MaxPool2d, nn.AvgPool2d,
    nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.BatchNorm2d, nn.ZeroPad2d,
)  # fmt: skip
_FUNCTIONS_CHANNEL_BY_CHANNEL = {
    "relu", "relu_", "relu6", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "hardtanh",
    "hardswish", "hardsigmoid", "dropout", "dropout2d", "max_pool2d", "avg_pool2d",
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "contiguous", "clone",
}  # fmt: skip
_ELEMENTWISE = {"add", "iadd", "add_", "sub", "isub", "mul", "imul", "mul_"}
_CONCATENATION = {"cat", "concat"}
_FLATTENING = {"flatten", "view", "reshape"}


@dataclass(frozen=True)
class ChannelTrace:
    """The channels that each layer reads and writes.

    A channel has a number; channels that are added to each other, or go through a group of a
    convolution together, have the same one.

    Attributes:
        inputs: of each layer that can shrink, the channels that it reads, in order.
        outputs: the channels that it writes.
        sides: height of its output in pixels; 1 for a fully connected layer.
        fixed: channels of the image and of the result.
        image_side: height of the image in pixels.
    """

    inputs: Mapping[str, list[int]]
    outputs: Mapping[str, list[int]]
    sides: Mapping[str, int]
    fixed: frozenset[int]
    image_side: int


def trace_channels(network: nn.Module, images: Tensor) -> ChannelTrace:
    """Follow the channels of ``images`` through the network.

    The network runs once, in evaluation mode and without gradients, and is left as it was.

    Args:
        network: of convolutions, batch normalisation, fully connected layers, activations, poolings,
            residual additions, concatenations and a flattening; every other operation is refused.
        images: (B, C, H, W), on the network's device, ``"meta"`` too.

    Raises:
        ValueError: torch.fx can't trace the network, or an operation or layer with parameters is not
            known to keep channels apart; it is named.
    """
    with evaluating(network), torch.no_grad():
        reader = _Reader(network, _graph(network))
        reader.run(images)
    return reader.trace(images.shape[2])


class _Tracer(fx.Tracer):
    """Takes batch normalisation with an activation of its own, as timm's, for one layer."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Shrinking) or super().is_leaf_module(m, module_qualified_name)


def _graph(network: nn.Module) -> fx.Graph:
    try:
        return _Tracer().trace(network)
    except Exception as error:  # what a network's own code raises on a proxy can be anything
        reason = " ".join(str(error).split())
        raise ArgumentError(
            f"network was a {type(network).__name__}, which torch.fx can't trace: {reason}"
        ) from error


class _Reader(fx.Interpreter):
    """Runs the graph; beside each tensor it notes the channel of every place in dimension 1."""

    def __init__(self, network: nn.Module, graph: fx.Graph) -> None:
        super().__init__(fx.GraphModule(network, graph))
        self.extra_traceback = False
        self._shapes: dict[fx.Node, torch.Size] = {}
        self._channels: dict[fx.Node, list[int]] = {}
        self._same: list[int] = []
        self._fixed: list[int] = []
        self._inputs: dict[str, list[int]] = {}
        self._outputs: dict[str, list[int]] = {}
        self._sides: dict[str, int] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.op == "output":
            for result in n.all_input_nodes:
                self._fixed += self._of(result, n)
        elif isinstance(value, Tensor):
            self._shapes[n] = value.shape
            self._channels[n] = self._follow(n, value)
        return value

    def trace(self, image_side: int) -> ChannelTrace:
        def found(layers: dict[str, list[int]]) -> dict[str, list[int]]:
            return {name: [self._find(channel) for channel in places] for name, places in layers.items()}

        fixed = frozenset(map(self._find, self._fixed))
        return ChannelTrace(found(self._inputs), found(self._outputs), self._sides, fixed, image_side)

    def _follow(self, node: fx.Node, value: Tensor) -> list[int]:
        if node.op == "placeholder":
            channels = self._new(value.shape[1])
            self._fixed += channels
            return channels
        if node.op == "call_module":
            return self._module(node, self.fetch_attr(str(node.target)), value)
        if node.op in ("call_function", "call_method"):
            return self._function(node, value)
        return []  # parameters that the network reads itself; whoever uses them is refused

    def _module(self, node: fx.Node, module: nn.Module, value: Tensor) -> list[int]:
        read = self._of(node.all_input_nodes[0], node)
        if isinstance(module, Shrinking):
            return self._layer(str(node.target), module, read, value)
        if isinstance(module, nn.Flatten):
            return self._flattened(node, read, value)
        if isinstance(module, _CHANNEL_BY_CHANNEL):
            return read
        raise self._unknown(node, f"{node.target}, a {type(module).__name__},")

    def _layer(self, name: str, layer: nn.Module, read: list[int], value: Tensor) -> list[int]:
        if isinstance(layer, nn.Linear) and value.dim() != 2:
            raise ArgumentError(
                f"{name} was given {value.dim()} dimensions, but must be given (B, C) to shrink"
            )
        for before, here in zip(self._inputs.setdefault(name, read), read, strict=True):
            self._tie(before, here)
        if name not in self._outputs:
            normalising = isinstance(layer, nn.BatchNorm2d)
            self._outputs[name] = read if normalising else self._new(value.shape[1])
            self._sides[name] = value.shape[2] if value.dim() == 4 else 1
        if isinstance(layer, nn.Conv2d) and layer.groups > 1:
            self._tie_groups(layer.groups, read, self._outputs[name])
        return self._outputs[name]

    def _tie_groups(self, groups: int, read: list[int], written: list[int]) -> None:
        """Many narrow groups live or die whole; few wide ones all lose the same channels."""
        inputs, outputs = len(read) // groups, len(written) // groups
        if groups >= min(inputs, outputs):
            together = [
                read[group * inputs : (group + 1) * inputs] + written[group * outputs : (group + 1) * outputs]
                for group in range(groups)
            ]
        else:
            together = [read[place::inputs] for place in range(inputs)]
            together += [written[place::outputs] for place in range(outputs)]
        for channels in together:
            for channel in channels[1:]:
                self._tie(channels[0], channel)

    def _function(self, node: fx.Node, value: Tensor) -> list[int]:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        tensors = [argument for argument in node.all_input_nodes if argument in self._shapes]
        if name in _FUNCTIONS_CHANNEL_BY_CHANNEL:
            return self._of(tensors[0], node)
        if name in _FLATTENING:
            return self._flattened(node, self._of(tensors[0], node), value)
        if name in _CONCATENATION and _dimension(node) in (1, 1 - value.dim()):
            return [channel for part in node.args[0] for channel in self._of(part, node)]  # type: ignore[union-attr]
        if name in _ELEMENTWISE and tensors:
            return self._added(node, [self._of(tensor, node) for tensor in tensors])
        raise self._unknown(node, f"the operation {name or node.target}")

    def _added(self, node: fx.Node, parts: list[list[int]]) -> list[int]:
        for part in parts[1:]:
            if len(part) != len(parts[0]):
                raise self._unknown(node, f"{node.name} of {len(parts[0])} and {len(part)} channels")
            for one, other in zip(parts[0], part, strict=True):
                self._tie(one, other)
        return parts[0]

    def _flattened(self, node: fx.Node, read: list[int], value: Tensor) -> list[int]:
        shape = self._shapes[node.all_input_nodes[0]]
        pixels = shape[1:].numel() // shape[1]
        if tuple(value.shape) != (shape[0], shape[1] * pixels):
            raise self._unknown(node, f"{node.name} from {tuple(shape)} to {tuple(value.shape)}")
        return [channel for channel in read for _ in range(pixels)]

    def _of(self, argument: Any, node: fx.Node) -> list[int]:
        channels = self._channels.get(argument)
        if not channels:
            raise self._unknown(node, f"{node.name}, which reads {argument},")
        return channels

    def _unknown(self, node: fx.Node, what: str) -> ArgumentError:
        calls = node.meta.get("nn_module_stack") or {}
        place = "" if node.op == "call_module" else next(reversed(list(calls)), "")
        where = f" in {place}" if place else ""
        return ArgumentError(f"{what}{where} may mix channels, so they can't shrink")

    def _new(self, count: int) -> list[int]:
        channels = list(range(len(self._same), len(self._same) + count))
        self._same += channels
        return channels

    def _find(self, channel: int) -> int:
        while self._same[channel] != channel:
            self._same[channel] = self._same[self._same[channel]]
            channel = self._same[channel]
        return channel

    def _tie(self, one: int, other: int) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._same[second] = first


def _dimension(node: fx.Node) -> int:
    given = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
    return operator.index(given)  # type: ignore[arg-type]


def check_layers(network: nn.Module) -> None:
    """Refuse parameters that can't be sliced.

    Raises:
        ValueError: a layer other than a convolution, batch normalisation or a fully connected one has
            parameters.
    """
    for name, module in network.named_modules():
        if has_parameters(module) and not isinstance(module, Shrinking):
            raise ArgumentError(f"{name or 'network'} is a {type(module).__name__}, which can't shrink")
