"""The cycles of the systolic dataflows equal the stepper's, and the stepper computes what reuse means."""

from dataclasses import dataclass
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.systolic_folding import Scope, SystolicStationary, turned
from oracle.systolic_stepper import Stepped, step_product
from torch import Tensor

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.hardware import Accelerator, Depth, Design
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work

SYSTOLIC: tuple[SystolicStationary, ...] = get_args(SystolicStationary)
PRODUCTS: tuple[Product, ...] = get_args(Product)
DESIGNS: tuple[Design, ...] = get_args(Design)
OVERLAPPING = ("input", "asynchronous")


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

    def accelerator(self, dataflow: SystolicStationary, design: Design) -> Accelerator:
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

    def cycles(
        self, dataflow: SystolicStationary, design: Design, product: Product, timing: Timing
    ) -> Cycles:
        accelerator = self.accelerator(dataflow, design)
        return DATAFLOWS[dataflow].cycles(accelerator, self.work, [product])[product][timing]

    def step(
        self,
        dataflow: SystolicStationary,
        design: Design,
        product: Product,
        timing: Timing,
        scopes: list[Scope] | None = None,
    ) -> Stepped:
        accelerator = self.accelerator(dataflow, design)
        return step_product(
            dataflow,
            product,
            self.scopes if scopes is None else scopes,
            self.rows,
            self.columns,
            design=design,
            versions=self.versions,
            ports=accelerator.ports(timing) or 0,
            skipping=bool(accelerator.hit_cycles),
        )


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


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@given(layer=layers(), timing=st.sampled_from(TIMINGS))
@settings(max_examples=30, deadline=None)
def test_cycles_with_reuse_equal_the_stepper(
    dataflow: SystolicStationary, product: Product, design: Design, layer: Layer, timing: Timing
) -> None:
    stepped = layer.step(dataflow, design, product, timing)
    cycles = layer.cycles(dataflow, design, product, timing)
    assert cycles.mercury == stepped.cycles
    assert stepped.products == [expected(scope, product) for scope in layer.scopes]
    unsigned = layer.step(
        dataflow, design, product, timing, [without_signatures(scope) for scope in layer.scopes]
    )
    assert cycles.product + cycles.stall == unsigned.cycles
    assert min(cycles.product, cycles.stall, cycles.signature) >= 0
    assert (layer.accelerator(dataflow, design).ports(timing) is not None) >= bool(cycles.stall)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("dataflow", SYSTOLIC)
@given(layer=layers(), product=st.sampled_from(PRODUCTS))
@settings(max_examples=30, deadline=None)
def test_baselines_equal_the_stepper(
    dataflow: SystolicStationary, design: Design, layer: Layer, product: Product
) -> None:
    dense = [without_reuse(scope) for scope in layer.scopes]
    stepped = step_product(dataflow, product, dense, layer.rows, layer.columns, design=design, versions=10**6)
    whole = without_reuse(whole_depth(layer.scopes))
    at_once = step_product(
        dataflow, product, [whole], layer.rows, layer.columns, design=design, versions=10**6
    )
    assert at_once.products == [expected(whole, product)]
    baselines = {"channel": stepped.cycles, "whole": at_once.cycles}
    for timing in TIMINGS:
        depth = layer.accelerator(dataflow, design).depth(timing)
        assert layer.cycles(dataflow, design, product, timing).baseline == baselines[depth]


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


@pytest.mark.parametrize(
    ("dataflow", "design"),
    [(dataflow, design) for dataflow in SYSTOLIC for design in DESIGNS if (dataflow, design) != OVERLAPPING],
)
@given(layer=layers())
@settings(max_examples=30, deadline=None)
def test_at_most_one_signature_is_completed_in_a_cycle(
    dataflow: SystolicStationary, design: Design, layer: Layer
) -> None:
    """So that an insertion queue of any size holds no more than one request, and nobody waits for it."""
    stepped = layer.step(dataflow, design, "forward", "paper")
    cycles = [cycle for scope in stepped.completed for cycle in scope.values()]
    assert len(cycles) == len(set(cycles)) == (len(layer.scopes) * layer.shape.vectors if layer.bits else 0)
    for scope, signatures in zip(layer.scopes, stepped.signatures, strict=True):
        assert signatures == [
            [sum(a * b for a, b in zip(vector, random, strict=True)) for random in turned(scope.random)]
            for vector in scope.vectors
        ]


def test_two_signatures_may_be_completed_in_a_cycle_where_input_stationary_folds_overlap() -> None:
    vectors, filters = [[1]] * 6, [[1]]
    scope = Scope(vectors, filters, [[1]] * 6, [[1]], [2] * 6, range(6))
    stepped = step_product("input", "forward", [scope], 1, 3, design="asynchronous", versions=4)
    assert sorted(stepped.completed[0].values()) == [1, 2, 2, 3, 3, 4]
