"""Small layers for one asynchronous circuit, signed or with saved Hitmaps, and what the plain models say."""

from dataclasses import dataclass

import torch
from asynchronous_cosimulation import Rows
from circuit_scopes import PlainMCache, Scope, rounds, signatures
from hypothesis import strategies as st
from oracle.asynchronous_stepper import step_asynchronous
from oracle.stepper import Array, Stepped
from oracle.worker import SteppedScope
from plain_run import choosing

from mercuric.reuse.vectors import VectorShape
from mercuric.rtl import arrival
from mercuric.rtl.asynchronous_cycles import saved_cycles, signed_cycles
from mercuric.rtl.parameters import Parameters

CIRCUITS = 5


@dataclass(frozen=True)
class Layer:
    """Scopes of as many vectors each; ``saved`` says that the circuit is given their Hitmaps."""

    scopes: list[Scope]
    saved: bool

    @property
    def vectors(self) -> int:
        return len(self.scopes[0].vectors)


@st.composite
def circuits(draw: st.DrawFn, **fixed: object) -> Parameters:
    of = choosing(draw, CIRCUITS)
    rows, sets = of(range(1, 4)), of(range(1, 7))
    drawn = {
        "block": -(-of(range(1, 10)) // sets),
        "versions": of(range(1, 6)),
        "queue": of(range(1, 4)),
        "late_hits": of(["ready", "wait", "recompute"]),
        "mac_unit": of([False, True]),
    }
    return Parameters(
        pe_rows=1, pe_columns=sets * rows, kernel_rows=rows, kernel_columns=of(range(1, 4)),
        bits=of(range(1, 5)), cache_sets=of(range(1, 5)), ways=of(range(1, 4)),
        overlapped_signatures=of([False, True]), overlapped_products=of([False, True]),
        **{**drawn, **fixed},
    )  # fmt: skip


@st.composite
def layers(draw: st.DrawFn, one: Parameters, saved: bool | None = None) -> Layer:
    row = st.lists(st.integers(-9, 9), min_size=one.kernel_columns, max_size=one.kernel_columns)
    window = st.lists(row, min_size=one.kernel_rows, max_size=one.kernel_rows)
    few = draw(st.lists(window, min_size=1, max_size=5))
    vectors = draw(st.integers(1, one.sets * one.block))
    random_filters = draw(st.lists(window, min_size=one.bits, max_size=one.bits))
    filters = draw(st.lists(window, min_size=1, max_size=3))
    scope = st.lists(st.sampled_from(few), min_size=vectors, max_size=vectors)
    scopes = [Scope(each, random_filters, filters) for each in draw(st.lists(scope, min_size=1, max_size=3))]
    return Layer(scopes, draw(st.booleans()) if saved is None else saved)


def in_step(one: Parameters, scope: Scope) -> Rows:
    """The Hitmap where PE sets finish signatures together."""
    cache, signed = PlainMCache(one.cache_sets, one.ways), signatures(scope)
    order = [vector for each in rounds(len(signed), one.sets) for vector in each]
    found = {vector: cache.access(signed[vector], vector) for vector in order}
    states, representatives = zip(*(found[vector] for vector in sorted(found)), strict=True)
    return list(states), list(representatives)


def step(one: Parameters, layer: Layer) -> tuple[Stepped, list[Rows]]:
    """What the stepper says, and the Hitmaps that it was given or gave."""
    hitmaps = [in_step(one, scope) for scope in layer.scopes]
    stepped = [
        SteppedScope(scope.vectors, *found) for scope, found in zip(layer.scopes, hitmaps, strict=True)
    ]
    if not layer.saved:
        stepped = [_signed(one, scope) for scope in layer.scopes]
    first = layer.scopes[0]
    done = step_asynchronous(
        stepped,
        first.filters,
        [] if layer.saved else first.random_filters,
        Array(one.sets, one.overlapped_products, one.mac_unit),
        pipelined_signatures=one.overlapped_signatures,
        versions=one.versions,
        late_hits=one.late_hits,
        queue=one.queue,
    )
    return done, [(list(scope.states), list(scope.representatives)) for scope in stepped]


def _signed(one: Parameters, scope: Scope) -> SteppedScope:
    """A scope whose Hitmap is filled as its signatures are answered."""
    cache, signed = PlainMCache(one.cache_sets, one.ways), signatures(scope)
    states, representatives = [0] * len(signed), [0] * len(signed)

    def answered(vector: int) -> None:
        states[vector], representatives[vector] = cache.access(signed[vector], vector)

    asked = [signature % one.cache_sets for signature in signed]
    return SteppedScope(scope.vectors, states, representatives, asked, answered)


def recurrence(one: Parameters, layer: Layer) -> tuple[list[Rows], int]:
    """The Hitmaps that the simulator says, and its cycles."""
    scopes, first = layer.scopes, layer.scopes[0]
    shape = VectorShape(len(scopes), layer.vectors, one.kernel_rows, one.kernel_columns, len(first.filters))
    signed = torch.tensor([signatures(scope) for scope in scopes])
    if layer.saved:
        order = arrival.in_step(one, layer.vectors)
        hitmap = arrival.arrived(one, signed, order)
        cycles = saved_cycles(one, shape, hitmap, order)
    else:
        hitmap, _, cycles = signed_cycles(one, shape, signed)
    rows = zip(hitmap.states.tolist(), hitmap.representatives.tolist(), strict=True)
    return list(rows), cycles
