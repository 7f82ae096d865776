"""What work does a network do on a batch?"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mercuric.reuse.vectors import Granularity, Scope, VectorShape, conv_vectors, linear_vectors

Inputs = Tensor | tuple[Any, ...] | list[Any] | Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """One call of one layer.

    Attributes:
        layer: the module's name in the network (its class, where the network is the layer itself).
        kind: ``"conv"`` for convolutions, those of 1x1 pixels too, ``"linear"`` for fully connected layers.
        shape: the layer's input vectors.
        needs_input_gradient: whether training needs the gradient of the layer's input; no
            trained parameter comes before the first layer, so it needs none.
        inputs: words of the layer's input, each counted once; without those that no window covers.
        fresh: elements that a window's row has and the one before it (one stride to the left) had not.
    """

    layer: str
    kind: Literal["conv", "linear"]
    shape: VectorShape
    needs_input_gradient: bool
    inputs: int
    fresh: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense forward product."""
        return self.shape.macs


def read_workloads(
    model: nn.Module, inputs: Inputs, granularity: Granularity = "channel", scope: Scope = "image"
) -> list[Workload]:
    """Run one batch and note every call of an ``nn.Conv2d`` or ``nn.Linear``, subclasses too, in order.

    The network runs in evaluation mode with gradients on, and is left as it was, also on an error.
    A network whose parameters are all frozen is read as if all were trained.

    Args:
        model: any network; a module called twice gives two workloads.
        inputs: a tensor, or positional arguments, or keyword arguments of the network.
        granularity: what an input vector spans.
        scope: what clears the MCACHE.

    Raises:
        ValueError: the network has no such module, it called none of them, or the granularity
            divides no group of channels of a layer.
    """
    found: list[Workload] = []
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    if not layers:
        raise ValueError(f"model was a {type(model).__name__} without any nn.Conv2d or nn.Linear to count")

    def note(
        name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor
    ) -> None:
        x: Tensor = args[0] if args else kwargs["input"]
        kind, shape = _vectors(module, x, out, granularity, scope)
        inputs = min(x.numel(), shape.scopes * shape.vectors * shape.length)
        fresh = _fresh(module, shape)
        found.append(Workload(name or type(module).__name__, kind, shape, x.requires_grad, inputs, fresh))

    with ExitStack() as stack:
        stack.enter_context(_ready_to_read(model))
        for name, module in layers:
            hook = module.register_forward_hook(partial(note, name), with_kwargs=True)
            stack.callback(hook.remove)
        call(model, inputs)
    if not found:
        raise ValueError(f"model was a {type(model).__name__} that called none of its {len(layers)} layers")
    return found


def _vectors(
    layer: nn.Module, x: Tensor, out: Tensor, granularity: Granularity, scope: Scope
) -> tuple[Literal["conv", "linear"], VectorShape]:
    if isinstance(layer, nn.Linear):
        return "linear", linear_vectors(layer, tuple(x.shape), scope)
    assert isinstance(layer, nn.Conv2d)  # noqa: S101 - hooks sit on these two classes only
    images = x.shape[0] if x.dim() == 4 else 1
    return "conv", conv_vectors(layer, images, prod(out.shape[-2:]), granularity, scope)


def _fresh(layer: nn.Module, shape: VectorShape) -> int:
    if not isinstance(layer, nn.Conv2d):
        return shape.elements
    width = layer.kernel_size[1]
    return shape.elements // width * min(layer.stride[1], width)


def call(model: nn.Module, inputs: Inputs) -> None:
    if isinstance(inputs, Tensor):
        model(_leaf(inputs))
    elif isinstance(inputs, Mapping):
        model(**{name: _leaf(value) for name, value in inputs.items()})
    else:
        model(*map(_leaf, inputs))


def _leaf(value: Any) -> Any:
    """The value without a gradient: a layer that reads it then needs no dO product."""
    if not isinstance(value, Tensor):
        return value
    return value.clone() if value.is_inference() else value.detach()


@contextmanager
def _ready_to_read(model: nn.Module) -> Iterator[None]:
    """Gradients on, whatever the caller's mode: an input's ``requires_grad`` then tells who needs dO."""
    with torch.inference_mode(False), torch.enable_grad(), evaluating(model), _trained(model):
        yield


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, so that normalisation statistics and random numbers stay as they are."""
    with keeping_modes(model):
        model.eval()
        yield


@contextmanager
def keeping_modes(model: nn.Module) -> Iterator[None]:
    """Every module is in the mode again that it was in, whatever the block does."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _trained(model: nn.Module) -> Iterator[None]:
    """With no trained parameter at all, gradients would reach no layer: train them all meanwhile."""
    parameters = [parameter for parameter in model.parameters() if parameter.is_floating_point()]
    if any(parameter.requires_grad for parameter in parameters):
        yield
        return
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(False)
