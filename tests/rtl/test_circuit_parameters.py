"""Which circuits are refused, and what an accelerator's circuit is."""

import pytest

from mercuric.accelerator import preset
from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from mercuric.rtl.parameters import Parameters

SHAPE = VectorShape(1, 196, 3, 3, 64)
SMALL = {
    "pe_rows": 3, "pe_columns": 2, "kernel_rows": 3, "kernel_columns": 3, "block": 4, "bits": 8,
    "cache_sets": 4, "ways": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cache_sets": 0}, "cache_sets of the circuit was 0, but must be at least 1"),
        ({"ports": 0}, "ports of the circuit was 0, but must be at least 1"),
        ({"hitmap_ports": 0}, "hitmap_ports of the circuit was 0, but must be at least 1"),
        ({"queue_ports": 0}, "queue_ports of the circuit was 0, but must be at least 1"),
        ({"results": "paper"}, "results of the circuit was 'paper', but must be 'registers' or 'memory'"),
        ({"results": "memory"}, "ports of the circuit was None, but must be a power of two where"),
        ({"results": "memory", "ports": 3}, "ports of the circuit was 3, but must be a power of two where"),
        ({"ways": 65}, "ways of the circuit was 65, but must be at most 64"),
        ({"kernel_rows": 7}, "kernel_rows of the circuit was 7, but its array has 6 PEs"),
    ],
)
def test_what_cannot_be_built(wrong: dict[str, int | str], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        Parameters(**{**SMALL, **wrong})


def test_a_preset() -> None:
    one = Parameters.of(preset("eyeriss-168").changed(insertion_queue=4), SHAPE, 20, "paper")
    assert (one.sets, one.block, one.cache_sets, one.ways, one.entries) == (56, 4, 64, 16, 1024)
    assert (one.overlapped_signatures, one.overlapped_products, one.overlaps) == (True, False, True)


@pytest.mark.parametrize("field", ["entries", "insertion_queue"])
def test_a_circuit_is_finite(field: str) -> None:
    unlimited = preset("eyeriss-168").changed(**{"insertion_queue": 4, field: None})
    with pytest.raises(ArgumentError, match=f"{field} of accelerator 'eyeriss-168' was None"):
        Parameters.of(unlimited, SHAPE, 20, "paper")
