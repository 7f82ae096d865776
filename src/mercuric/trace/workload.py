"""What work does a network do on a batch?"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.layer_kinds import kind_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import Granularity, Scope, VectorShape
from mercuric.trace.forward_pass import Inputs, call, tracking_gradients
from mercuric.trace.products import Frame, Product, products_of
from mercuric.trace.recorder import first_argument, recording


@dataclass(frozen=True)
class Workload:
    """One call of one layer, or one product that no call of a layer makes.

    Attributes:
        layer: the module's name in the network (its class, where the network is the layer itself). A
            product has the name of the module whose weight it reads, else of the one that it runs in.
        kind: ``"conv"`` for convolutions, those of 1x1 pixels too, ``"linear"`` for fully connected layers
            and products of two matrices, ``"attention"`` for those of many.
        shape: the layer's input vectors.
        needs_input_gradient: whether training needs the gradient of the layer's input; no
            trained parameter comes before the first layer, so it needs none.
        inputs: words of the layer's input, each counted once; without those that no window covers.
        fresh: elements that a window's row has and the one before it (one stride to the left) had not.
        operation: PyTorch's name of a product's operation, as ``bmm``; None for a layer's call.
    """

    layer: str
    kind: Kind
    shape: VectorShape
    needs_input_gradient: bool
    inputs: int
    fresh: int
    operation: str | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense forward product."""
        return self.shape.macs


@dataclass(frozen=True)
class Unknown:
    """A product whose input vectors aren't known, so that it can't be counted.

    Attributes:
        layer: as a workload's.
        operation: PyTorch's name of the operation.
        macs: its multiply-accumulates.
    """

    layer: str
    operation: str
    macs: int


@dataclass(frozen=True)
class NetworkWork:
    """Everything that a network multiplies on a batch.

    Attributes:
        workloads: what can be counted, in order.
        unknown: what can't.
    """

    workloads: list[Workload]
    unknown: list[Unknown]


def read_workloads(
    model: nn.Module, inputs: Inputs, granularity: Granularity = "channel", scope: Scope = "image"
) -> list[Workload]:
    """The ``workloads`` of :func:`read_network`."""
    return read_network(model, inputs, granularity, scope).workloads


def read_network(
    model: nn.Module, inputs: Inputs, granularity: Granularity = "channel", scope: Scope = "image"
) -> NetworkWork:
    """Run one batch and note in order calls of its layers, and all other products.

    The network runs in evaluation mode with gradients on, and is left as it was, also on an error.
    A network whose parameters are all frozen is read as if all were trained.

    Args:
        model: any network; a module called twice gives two workloads.
        inputs: a tensor, or positional arguments, or keyword arguments of the network.
        granularity: what an input vector spans.
        scope: what clears the MCACHE.

    Raises:
        ValueError: the network multiplies nothing, or the granularity divides no group of channels of a
            layer.
    """
    calls = _Calls(model)
    products = products_of(model, calls.ended, granularity, scope)
    layers = {name: one for name, one in model.named_modules() if kind_of(one) is not None}
    note = partial(calls.note, granularity, scope)
    with tracking_gradients(model), products, recording(layers, after=note, foremost=True):
        call(model, inputs)
    return calls.work()


class _Calls:
    """The calls of a network's layers, and the products that none of them accounts for."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._found: list[Workload | Product] = []
        self._layers: dict[str, Workload] = {}

    def note(
        self,
        granularity: Granularity,
        scope: Scope,
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        _out: Tensor,
    ) -> None:
        """A layer's own product; its call ends right after."""
        x: Tensor = first_argument(args, kwargs)
        kind = kind_of(module)
        shape = None if kind is None else kind.vectors(module, x, granularity, scope)
        if kind is None or shape is None:
            return
        inputs = min(x.numel(), shape.scopes * shape.vectors * shape.length)
        needs = x.requires_grad
        self._layers[name] = Workload(
            self._shown(name), kind.product, shape, needs, inputs, kind.fresh(module, shape)
        )

    def ended(self, frame: Frame) -> None:
        """A module's call: of a layer's products, one is the layer's own."""
        layer, products = self._layers.pop(frame.name, None), frame.products
        if layer is not None and (not products or layer.macs in _with_sum(products)):
            self._found.append(layer)
            same = [place for place, one in enumerate(products) if one.macs == layer.macs]
            products = products[: same[0]] + products[same[0] + 1 :] if same else []
        self._found += products

    def work(self) -> NetworkWork:
        """All of it; what shares a layer's name, or is laid out otherwise, is named by its operation too."""
        kinds = {one.layer: one.kind for one in self._found if isinstance(one, Workload)}
        layers = set(kinds)
        work = NetworkWork([], [])
        for one in self._found:
            if isinstance(one, Workload):
                work.workloads.append(one)
                continue
            name = self._shown(one.owner)
            if one.parts is None:
                work.unknown.append(Unknown(name, one.operation, one.macs))
                continue
            for part in one.parts:
                same = (kinds.setdefault(name, part.kind) == "conv") == (part.kind == "conv")
                called = name if same and name not in layers else f"{name}: {one.operation}"
                work.workloads.append(
                    Workload(
                        called, part.kind, part.shape, part.needs_input_gradient, part.inputs,
                        part.shape.elements, one.operation,
                    )
                )  # fmt: skip
        if not self._found:
            raise ArgumentError(self._nothing())
        return work

    def _nothing(self) -> str:
        kind = type(self._model).__name__
        layers = sum(kind_of(module) is not None for module in self._model.modules())
        if not layers:
            return f"model was a {kind} without any layer to count, or another product"
        return f"model was a {kind} that called none of its {layers} layers, and multiplied nothing else"

    def _shown(self, name: str) -> str:
        return name or type(self._model).__name__


def _with_sum(products: list[Product]) -> set[int]:
    return {sum(one.macs for one in products), *(one.macs for one in products)}
