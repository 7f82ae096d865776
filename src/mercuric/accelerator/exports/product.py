"""Which products does a training step make of a layer, with reuse and without?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from mercuric.accelerator.dataflows.scopes import dense_products, misses_and_hits
from mercuric.accelerator.dataflows.systolic.cycles import gemm
from mercuric.accelerator.engines.dense_layer import DenseLayer, matrix_products
from mercuric.accelerator.exports.gradient_layers import input_gradient, weight_gradient
from mercuric.errors import ArgumentError
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Product

Part = Literal["dense", "remaining", "signature"]
"""All vectors; those that MERCURY computes, scope by scope; all vectors times the random filters."""

PARTS: tuple[Part, ...] = get_args(Part)
PASSES: dict[Product, str] = {"forward": "forward", "input_gradient": "dO", "weight_gradient": "dW"}
"""What files call the products."""

_NO_NAME = re.compile(r"[^\w.]+")


@dataclass(frozen=True)
class ExportedProduct:
    """One product of a training step.

    Attributes:
        call: the place of the layer's call in the network, from 1.
        layer: the layer's name in its network.
        product: which of the training step's three.
        part: what of it.
        shape: the convolution, or matrix products, that compute it; its name is unique in a folder.
        vectors: input vectors of the layer that it stands for.
        rows: those of them that are computed.
    """

    call: int
    layer: str
    product: Product
    part: Part
    shape: DenseLayer
    vectors: int
    rows: int

    @property
    def name(self) -> str:
        """What files call it."""
        return self.shape.name

    @property
    def file(self) -> str:
        """The file that it belongs in, without its ending: one a part and pass."""
        return f"{self.part}-{PASSES[self.product]}"

    @property
    def macs(self) -> int:
        """Its multiply-accumulates."""
        return self.shape.macs


@dataclass
class TrainingProducts:
    """Listens to layer calls, and holds their products.

    Attributes:
        layers: calls of layers whose windows are known, in order; a call that has none here becomes matrix
            products, of the same multiply-accumulates.
        training: whether gradients are computed.
        reuse: whether what MERCURY computes is wanted beside the dense products.
        products: what was found.
    """

    layers: Sequence[DenseLayer] = ()
    training: bool = True
    reuse: bool = False
    products: list[ExportedProduct] = field(default_factory=list)
    _calls: int = 0

    def __post_init__(self) -> None:
        self._left = list(self.layers)

    def add(self, call: LayerCall) -> None:
        """Note the products of one call.

        Raises:
            ValueError: the call is of gradient vectors with a Hitmap of their own.
        """
        if call.product != "forward":
            raise ArgumentError(
                f"layer {call.layer!r} has gradient vectors with a Hitmap of their own, but what is exported "
                "goes by the Hitmap of the forward pass: let gradients be 'forward-hits'"
            )
        if not call.work.shape.macs:
            return
        self._calls += 1
        layer = self._layer(call)
        for product in self._products(call):
            self._add(call, product, "dense", _gradient(layer, product))
            if not self.reuse:
                continue
            if call.work.hitmap is None:
                self._add(call, product, "remaining", _gradient(layer, product))
            for some, rows in _remaining(call, product):
                self._add(call, product, "remaining", some, rows)
        if self.reuse and call.work.hitmap is not None and call.work.bits:
            shape = call.work.shape
            signed = matrix_products("", shape.scopes, shape.vectors, shape.length, call.work.bits)
            self._add(call, "forward", "signature", signed)

    def _products(self, call: LayerCall) -> list[Product]:
        if not self.training:
            return ["forward"]
        gradient: list[Product] = ["input_gradient"] if call.needs_input_gradient else []
        return ["forward", *gradient, "weight_gradient"]

    def _layer(self, call: LayerCall) -> DenseLayer:
        """The layer's windows where they are known, else its matrix products."""
        shape = call.work.shape
        for place, one in enumerate(self._left):
            if not call.is_product and one.name == call.layer and one.macs == shape.macs:
                return self._left.pop(place)
        count, vectors, length = dense_products(shape, "whole")
        return matrix_products(call.layer, count, vectors, length, shape.filters)

    def _add(
        self, call: LayerCall, product: Product, part: Part, shape: DenseLayer, rows: int | None = None
    ) -> None:
        vectors = call.work.shape.scopes * call.work.shape.vectors
        name = f"{self._calls:03d}-{_NO_NAME.sub('-', call.layer)}-{PASSES[product]}"
        name = name if part == "dense" else f"{name}-{part}"
        again = sum(one.name.removesuffix("-more") == name for one in self.products[-1:])
        self.products.append(
            ExportedProduct(
                self._calls, call.layer, product, part, replace(shape, name=name + "-more" * again),
                vectors, vectors if rows is None else rows,
            )
        )  # fmt: skip


def _gradient(layer: DenseLayer, product: Product) -> DenseLayer:
    if product == "forward":
        return layer
    return input_gradient(layer) if product == "input_gradient" else weight_gradient(layer)


def _remaining(call: LayerCall, product: Product) -> Iterator[tuple[DenseLayer, int]]:
    """The vectors that are computed, a product a scope, and how many of them there are.

    Scopes get as many as they have on average, rounded down in some and up in the others, so that a layer is
    two products at most, of exactly its multiply-accumulates.
    """
    shape, hitmap = call.work.shape, call.work.hitmap
    if hitmap is None:
        return
    least, more = divmod(int(misses_and_hits(hitmap)[0].sum()), shape.scopes)
    for rows, scopes in ((least, shape.scopes - more), (least + 1, more)):
        if rows and scopes:
            none = np.zeros(1, dtype=np.int64)
            one = gemm(product, none + rows, none, none, shape.length, shape.filters)
            sizes = (int(size.item()) for size in (one.M, one.K, one.N))
            yield matrix_products("", scopes, *sizes), scopes * rows
