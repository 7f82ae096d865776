"""The closed forms equal the stepper, cycle for cycle, and the stepper computes what reuse means."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator.dot_product import TIMINGS, Timing, lone_cycles, pipelined_cycles
from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.row_stationary import SynchronousProduct, baseline_cycles, signature_cycles
from mercuric.accelerator.stepper import step_dense, step_reuse
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import HitState

Window = list[list[int]]


@dataclass(frozen=True)
class Scope:
    pes: int
    vectors: list[Window]
    filters: list[Window]
    states: list[int]
    representatives: list[int]

    @property
    def rows(self) -> int:
        return len(self.filters[0])

    @property
    def shape(self) -> VectorShape:
        return VectorShape(1, len(self.vectors), self.rows, len(self.filters[0][0]), len(self.filters))

    @property
    def sets(self) -> int:
        return self.pes // self.rows

    @property
    def accelerator(self) -> Accelerator:
        return Accelerator(name="drawn", rows=1, columns=self.pes, clock_mhz=1, entries=None, ways=1)


def mcache(signatures: list[int], sets: int, ways: int) -> tuple[list[int], list[int]]:
    """Fig. 9, one access after the other."""
    lines: list[dict[int, int]] = [{} for _ in range(sets)]
    states, representatives = [], []
    for vector, signature in enumerate(signatures):
        line = lines[signature % sets]
        if signature in line:
            states.append(int(HitState.HIT))
        elif len(line) < ways:
            line[signature] = vector
            states.append(int(HitState.MAU))
        else:
            states.append(int(HitState.MNU))
        representatives.append(line.get(signature, vector))
    return states, representatives


def windows(rows: int, elements: int, least: int, most: int) -> st.SearchStrategy[list[Window]]:
    row = st.lists(st.integers(-9, 9), min_size=elements, max_size=elements)
    return st.lists(st.lists(row, min_size=rows, max_size=rows), min_size=least, max_size=most)


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    rows, elements = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    vectors = draw(windows(rows, elements, 0, 14))
    filters = draw(windows(rows, elements, 1, 3))
    signatures = draw(st.lists(st.integers(0, 7), min_size=len(vectors), max_size=len(vectors)))
    states, representatives = mcache(signatures, draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    return Scope(draw(st.integers(rows, 4 * rows + 2)), vectors, filters, states, representatives)


def dot(left: Window, right: Window) -> int:
    return sum(a * b for rows in zip(left, right, strict=True) for a, b in zip(rows[0], rows[1], strict=True))


@given(scopes(), st.sampled_from(TIMINGS))
@settings(max_examples=150, deadline=None)
def test_product_with_reuse_equals_the_stepper(scope: Scope, timing: Timing) -> None:
    stepped = step_reuse(
        scope.vectors,
        scope.filters,
        scope.states,
        scope.representatives,
        scope.sets,
        pipelined=timing == "fair",
    )
    states = torch.tensor([scope.states], dtype=torch.uint8).reshape(1, -1)
    assert SynchronousProduct(scope.accelerator, scope.shape, states).cycles(timing) == stepped.cycles
    assert stepped.outputs == [
        [dot(scope.vectors[representative], weights) for representative in scope.representatives]
        for weights in scope.filters
    ]


@given(scopes(), st.sampled_from(TIMINGS))
@settings(max_examples=100, deadline=None)
def test_baseline_equals_the_stepper(scope: Scope, timing: Timing) -> None:
    stepped = step_dense(scope.vectors, scope.filters, scope.sets, pipelined=timing == "fair")
    assert baseline_cycles(scope.accelerator, scope.shape, timing) == stepped.cycles
    assert stepped.outputs == [
        [dot(vector, weights) for vector in scope.vectors] for weights in scope.filters
    ]


@given(scopes())
@settings(max_examples=50, deadline=None)
def test_signatures_equal_the_stepper(scope: Scope) -> None:
    """Signature bits are pipelined dot products with random filters (paper III-B1)."""
    stepped = step_dense(scope.vectors, scope.filters, scope.sets, pipelined=True)
    assert signature_cycles(scope.accelerator, scope.shape, bits=len(scope.filters)) == stepped.cycles


@given(
    states=st.integers(1, 30).flatmap(
        lambda vectors: st.lists(
            st.lists(st.integers(0, 2), min_size=vectors, max_size=vectors), min_size=1, max_size=4
        )
    ),
    rows=st.integers(1, 3),
    elements=st.integers(1, 4),
    timing=st.sampled_from(TIMINGS),
)
@settings(max_examples=60, deadline=None)
def test_scopes_add_up(states: list[list[int]], rows: int, elements: int, timing: Timing) -> None:
    accelerator = Accelerator(name="drawn", rows=rows, columns=3, clock_mhz=1, entries=None, ways=1)

    def cycles(some: list[list[int]]) -> int:
        shape = VectorShape(len(some), len(some[0]), rows, elements, filters=2)
        return SynchronousProduct(accelerator, shape, torch.tensor(some, dtype=torch.uint8)).cycles(timing)

    assert cycles(states) == sum(cycles([one]) for one in states)


@pytest.mark.parametrize("rows", range(1, 6))
@pytest.mark.parametrize("elements", range(1, 6))
@pytest.mark.parametrize("count", range(5))
def test_dot_products_of_one_pe_set(rows: int, elements: int, count: int) -> None:
    vectors = [[[1] * elements] * rows] * count
    filters = vectors[:1]
    if not count:
        filters = [[[1] * elements] * rows]
    unpipelined = step_dense(vectors, filters, 1, pipelined=False).cycles
    assert unpipelined == count * lone_cycles(rows, elements)
    assert step_dense(vectors, filters, 1, pipelined=True).cycles == pipelined_cycles(rows, elements, count)
