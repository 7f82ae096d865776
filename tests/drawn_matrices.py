"""Small layers as matrices of integers, with a Hitmap a scope and an array, for the steppers."""

from dataclasses import dataclass
from typing import Any, get_args

import torch
from hypothesis import strategies as st
from oracle.systolic_folding import Scope
from torch import Tensor

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.hardware import Accelerator, Depth, Design
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work


@dataclass(frozen=True)
class Layer:
    rows: int
    columns: int
    versions: int
    bits: int
    scopes: list[Scope]
    open: dict[str, Any]

    @property
    def shape(self) -> VectorShape:
        one = self.scopes[0]
        length, filters = len(one.filters), len(one.filters[0])
        return VectorShape(len(self.scopes), len(one.vectors), 1, length, filters, 1, len(self.scopes))

    @property
    def work(self) -> Work:
        states = torch.tensor([scope.states for scope in self.scopes], dtype=torch.uint8)
        representatives = torch.tensor([scope.representatives for scope in self.scopes])
        return Work(self.shape, Hitmap(states, representatives), self.bits)

    def accelerator(self, dataflow: str, design: Design) -> Accelerator:
        return Accelerator(
            name="drawn",
            dataflow=dataflow,
            rows=self.rows,
            columns=self.columns,
            versions=self.versions,
            design=design,
            clock_mhz=1,
            entries=None,
            ways=1,
            **self.open,
        )

    def cycles(self, dataflow: str, design: Design, product: Product, timing: Timing) -> Cycles:
        accelerator = self.accelerator(dataflow, design)
        return DATAFLOWS[dataflow].cycles(accelerator, self.work, [product])[product][timing]


def matrices(height: int, width: int) -> st.SearchStrategy[list[list[int]]]:
    row = st.lists(st.integers(-9, 9), min_size=width, max_size=width)
    return st.lists(row, min_size=height, max_size=height)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    vectors, length, filters = draw(st.integers(1, 9)), draw(st.integers(1, 7)), draw(st.integers(1, 7))
    bits = draw(st.integers(0, 6))
    shared = draw(matrices(length, filters)), draw(matrices(length, bits))
    scopes = []
    for _ in range(draw(st.integers(1, 3))):
        numbers = draw(st.lists(st.integers(0, 6), min_size=vectors, max_size=vectors))
        representatives = [numbers.index(number) for number in numbers]
        states = [int(vector == first) for vector, first in enumerate(representatives)]
        values, gradients = draw(matrices(vectors, length)), draw(matrices(vectors, filters))
        scopes.append(Scope(values, shared[0], gradients, shared[1], states, representatives))
    left_open = {
        "baseline_depth": draw(st.sampled_from([None, *get_args(Depth)])),
        "hit_ports": draw(st.sampled_from([None, 1, 2, 3, "unlimited"])),
        "hit_cycles": draw(st.integers(0, 1)),
    }
    return Layer(*(draw(st.integers(1, 4)) for _ in range(3)), bits, scopes, left_open)


def without_signatures(scope: Scope) -> Scope:
    nothing: list[list[int]] = [[] for _ in scope.filters]
    return Scope(scope.vectors, scope.filters, scope.gradients, nothing, scope.states, scope.representatives)


def without_reuse(scope: Scope) -> Scope:
    vectors = range(len(scope.vectors))
    nothing: list[list[int]] = [[] for _ in scope.filters]
    return Scope(scope.vectors, scope.filters, scope.gradients, nothing, [2 for _ in vectors], vectors)


def expected(scope: Scope, product: Product) -> list[list[int]]:
    """What the network computes: each vector's output is its representative's; and its gradients."""
    vectors, filters = torch.tensor(scope.vectors).double(), torch.tensor(scope.filters).double()
    vectors.requires_grad_(), filters.requires_grad_()
    outputs: Tensor = (vectors @ filters)[torch.tensor(scope.representatives)]
    outputs.backward(torch.tensor(scope.gradients).double())
    result = {"forward": outputs, "input_gradient": vectors.grad, "weight_gradient": filters.grad}[product]
    assert result is not None
    return result.detach().long().tolist()


def whole_depth(scopes: list[Scope]) -> Scope:
    """The channels' windows side by side, their filters one below the other."""
    vectors = [
        [value for row in rows for value in row] for rows in zip(*(s.vectors for s in scopes), strict=True)
    ]
    filters = [row for scope in scopes for row in scope.filters]
    first = scopes[0]
    return Scope(
        vectors, filters, first.gradients, [[] for _ in filters], first.states, first.representatives
    )
