"""Without hits and signatures reuse gains nothing, whatever the array: both sides overlap alike."""

from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator.count.layer_cycles import training_cycles
from mercuric.accelerator.dataflows.dot_product import TIMINGS
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.accelerator.hardware import Accelerator, Design, Replicated, preset
from mercuric.reuse.observation import Kind
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work

ARRAYS: list[tuple[str, Design, dict[str, Any]]] = [
    *((dataflow, design, {}) for dataflow in DATAFLOWS for design in get_args(Design)),
    *(("row", design, {"dealing": "products"}) for design in get_args(Design)),
    *(
        ("row", design, {"dealing": "rows", "replicated": held})
        for design in get_args(Design)
        for held in get_args(Replicated)
    ),
    *(("row", design, {"late_hits": late}) for design in get_args(Design) for late in ("wait", "recompute")),
]
DEPTHWISE = VectorShape(scopes=512, vectors=49, rows=3, elements=3, filters=1, output_rows=7)
SYSTOLIC = VectorShape(64, 49, 3, 3, filters=128, depth=64, output_rows=7)


def unlike(shape: VectorShape, kind: Kind = "conv") -> Work:
    """Every vector is computed, and no signature was: what is saved is not reuse's."""
    states = torch.full((shape.scopes, shape.vectors), 2, dtype=torch.uint8)
    return Work(shape, Hitmap(states, torch.arange(shape.vectors).repeat(shape.scopes, 1)), 0, kind)


@st.composite
def shapes(draw: st.DrawFn) -> VectorShape:
    images, depth, groups = (draw(st.integers(1, 4)) for _ in range(3))
    output_rows, width, filters = draw(st.integers(1, 12)), draw(st.integers(1, 7)), draw(st.integers(1, 30))
    rows, elements = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    scopes, vectors = images * depth * groups, output_rows * width
    return VectorShape(scopes, vectors, rows, elements, filters, images, depth, output_rows)


@pytest.mark.parametrize(("dataflow", "design", "options"), ARRAYS)
@given(
    shape=shapes(),
    kind=st.sampled_from(get_args(Kind)),
    sides=st.tuples(st.integers(1, 9), st.integers(4, 14)),
    versions=st.integers(1, 9),
    mac_unit=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_no_layer_is_faster_for_reuse_that_finds_nothing(
    dataflow: str,
    design: Design,
    options: dict[str, Any],
    shape: VectorShape,
    kind: Kind,
    sides: tuple[int, int],
    versions: int,
    mac_unit: bool,
) -> None:
    if dataflow == "row" and "dealing" not in options:
        options = {**options, "mac_unit": mac_unit}
    if "dealing" not in options:
        options = {**options, "versions": versions}
    array = Accelerator(
        name="drawn", dataflow=dataflow, design=design, rows=sides[0], columns=sides[1], clock_mhz=1,
        entries=None, ways=1, **options,
    )  # fmt: skip
    products = list(get_args(Product))
    for product, timings in DATAFLOWS[dataflow].cycles(array, unlike(shape, kind), products).items():
        for timing, cycles in timings.items():
            assert cycles.speedup <= 1, (product, timing)
            assert cycles.signature == 0


@pytest.mark.parametrize("design", get_args(Design))
@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("shape", [DEPTHWISE, SYSTOLIC], ids=["depthwise", "channels"])
def test_working_as_the_baseline_does_takes_as_long(
    shape: VectorShape, dataflow: str, design: Design
) -> None:
    """In paper timing both work scope by scope; enough filter buffers are no reason to wait."""
    name = "eyeriss-168" if dataflow == "row" else f"{dataflow}-168"
    array = preset(name).changed(design=design, versions=1000)
    counted = training_cycles(array, unlike(shape))
    assert counted["paper"].total.speedup == 1
    assert all(counted[timing].total.speedup <= 1 for timing in TIMINGS)
