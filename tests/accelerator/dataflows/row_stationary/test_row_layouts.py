"""Rows on PE sets by hand: folds, filters, channels and images side by side, and what is refused."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles, cycles, signature_cycles
from mercuric.accelerator.dataflows.row_stationary.dealing import Tasks, deal, results_held
from mercuric.accelerator.energy.area import chip_area
from mercuric.accelerator.energy.layer_cost import layer_cost
from mercuric.accelerator.hardware import Design, Replicated, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Work

VECTORS = preset("eyeriss-168").changed(dealing="vectors")
EYERISS = preset("eyeriss-168")


def test_a_layer_by_hand() -> None:
    """Two columns of three: four sets of one row each, two rows of two vectors, three filters of 3 elements.

    Two filters are side by side, so there are two tasks; row 0 has two misses, row 1 one.
    """
    array = EYERISS.changed(rows=2, columns=2)
    hitmap = Hitmap(torch.tensor([[1, 1, 0, 1]], dtype=torch.uint8), torch.tensor([[0, 1, 0, 3]]))
    work = Work(VectorShape(1, 4, 1, 3, 3, output_rows=2), hitmap, bits=5)
    counted = cycles(array, work, ["forward"])["forward"]
    assert counted["paper"] == Cycles(2 * 2 * 4, 2 * 2 * 4, 3 * 2 * 3 + 2)
    assert counted["fair"] == Cycles(2 * 2 * 3 + 2, 2 * (2 * 3 + 2), 3 * 2 * 3 + 2)
    alone = cycles(array.changed(replicas=1), work, ["forward"])["forward"]["paper"]
    assert alone == replace(counted["paper"], product=3 * 2 * 4)


@pytest.mark.parametrize(
    ("window", "elements", "side", "filters", "rounds"),
    [
        (3, 3, 224, 64, 4 * 64),  # 56 PE sets: four rows each
        (3, 3, 112, 128, 2 * 128),
        (3, 3, 57, 64, 2 * 64),
        (3, 3, 56, 64, 64),
        (3, 3, 28, 256, 128),
        (3, 3, 14, 512, 128),  # four filters side by side
        (3, 3, 10, 7, 2),
        (7, 7, 112, 64, 8 * 64),  # 14 sets: five rows of PEs are idle
        (5, 5, 27, 256, 256),
        (11, 11, 55, 96, 4 * 96),
        (1, 512, 7, 2048, 86),  # 24 filters side by side: the last round has 8
        (1, 64, 112, 32, 32),
        (16, 16, 14, 768, 768),  # a window over two columns: 10 sets
    ],
)
def test_rounds_of_eyeriss(window: int, elements: int, side: int, filters: int, rounds: int) -> None:
    """A round is one row of the output in every set that has one."""
    shape = VectorShape(1, side * side, window, elements, filters, output_rows=side)
    rounds *= 2 if window == 16 else 1
    assert baseline_cycles(EYERISS, shape, "paper") == rounds * side * (window + elements)
    assert signature_cycles(EYERISS, replace(shape, filters=1), filters) == (
        rounds * side * elements + window + 1
    )


def test_channels_and_images_side_by_side() -> None:
    """14 rows: four scopes of an image, or of a channel; what room is left goes to filters."""
    shape = VectorShape(2 * 6, 14 * 14, 3, 3, 8, images=2, depth=6, output_rows=14)

    def rounds(replicated: Replicated, shape: VectorShape = shape) -> int:
        array = EYERISS.changed(replicated=replicated)
        return baseline_cycles(array, shape, "paper") // (14 * 6)

    assert rounds("filters") == 12 * 2
    assert rounds("channels") == 2 * 2 * 8
    assert rounds("images") == 6 * 4
    depthwise = replace(shape, filters=1, depth=1)
    assert (rounds("filters", depthwise), rounds("channels", depthwise)) == (12, 4)


@pytest.mark.parametrize("output_rows", [None, 0])
def test_an_output_of_no_rows_is_refused(output_rows: int | None) -> None:
    shape = VectorShape(1, 12, 3, 3, 8, output_rows=output_rows)
    said = (
        f"output_rows of a layer's vectors was {output_rows}, but must be at least 1 where dealing is 'rows'"
    )
    for ask in (
        lambda: cycles(EYERISS, Work(shape), ["forward"]),
        lambda: layer_cost(EYERISS, Work(shape)),
        lambda: results_held(EYERISS, shape),
    ):
        with pytest.raises(ValueError, match=said):
            ask()
    assert baseline_cycles(VECTORS, shape, "paper") == 8 * 6


def test_who_has_no_rows_hears_what_to_do() -> None:
    unknown = VectorShape(1, 12, 3, 3, 8)
    with pytest.raises(ValueError, match="give them, save the Hitmaps anew, or choose dealing=vectors"):
        baseline_cycles(EYERISS, unknown, "paper")
    no_image = VectorShape(3, 0, 3, 3, 8)
    assert baseline_cycles(EYERISS, no_image, "paper") == baseline_cycles(VECTORS, no_image, "paper") == 0


def test_rows_of_unequal_lengths_are_refused() -> None:
    shape = VectorShape(1, 12, 3, 3, 8, output_rows=5)
    with pytest.raises(ValueError, match="output_rows of a layer's vectors was 5, but must divide its 12"):
        cycles(EYERISS, Work(shape), ["forward"])


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (6, 1), (1, 6)])
def test_an_array_without_a_whole_pe_set_is_refused(rows: int, columns: int) -> None:
    shape, pes = VectorShape(1, 12, 7, 7, 8, output_rows=3), rows * columns
    array = EYERISS.changed(rows=rows, columns=columns)
    said = f"'eyeriss-168' has {pes} PEs, but a kernel of 7 rows needs at least 7"
    for ask in (
        lambda: baseline_cycles(array, shape, "paper"),
        lambda: layer_cost(array, Work(shape)),
        lambda: results_held(array, shape),
    ):
        with pytest.raises(ValueError, match=said):
            ask()
    assert baseline_cycles(EYERISS.changed(rows=1, columns=7), shape, "paper") == 8 * 12 * 14


@pytest.mark.parametrize("field", ["replicas", "versions"])
def test_fewer_than_one_result_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} of accelerator 'eyeriss-168' was 0, but must be"):
        EYERISS.changed(**{field: 0})


@pytest.mark.parametrize("dealing", ["vectors", "products"])
@pytest.mark.parametrize(("field", "value"), [("replicas", 4), ("replicated", "images")])
def test_only_rows_are_side_by_side(dealing: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} of .* where dealing is '{dealing}': only where rows are"):
        EYERISS.changed(**{"dealing": dealing, field: value})


def test_queues_of_several_mcaches_are_refused() -> None:
    with pytest.raises(ValueError, match=r"insertion_queue of .* was 4, .*: images side by side have queues"):
        EYERISS.changed(replicated="images", insertion_queue=4)


def test_no_work_costs_nothing() -> None:
    empty = VectorShape(3, 0, 3, 3, 8, output_rows=4)
    nothing = Work(empty, Hitmap(torch.zeros(3, 0, dtype=torch.uint8), torch.zeros(3, 0).long()), bits=20)
    for design in get_args(Design):
        counted = cycles(EYERISS.changed(design=design), nothing, ["forward"])["forward"]
        assert counted["paper"] == counted["fair"] == Cycles()


def test_what_a_pe_set_gets() -> None:
    dealt = deal(EYERISS, VectorShape(1, 20 * 5, 3, 3, 5, output_rows=20))
    assert dealt.filters.tolist() == [3] * 20 + [2] * 20
    assert dealt.vectors.tolist() == [5] * 40
    assert dealt.products.sum() == 20 * 5 * 5
    folded = deal(EYERISS, VectorShape(1, 60 * 5, 3, 3, 5, output_rows=60))
    assert folded.vectors.tolist() == [10] * 4 + [5] * 52


def test_an_entry_of_results_side_by_side_takes_area() -> None:
    shape = VectorShape(1, 49, 1, 512, 2048, output_rows=7)
    assert results_held(EYERISS, shape) == 24
    assert results_held(EYERISS.changed(replicas=4), shape) == 4
    assert results_held(EYERISS.changed(design="asynchronous"), shape) == 24 * 4
    assert results_held(EYERISS, replace(shape, filters=5)) == 5
    beside = chip_area(EYERISS, 49, 20, results=1, mcaches=3)
    alone = chip_area(EYERISS, 49, 20, results=1, mcaches=1)
    for part in ("MCACHE tags", "MCACHE results", "Signature Table", "Hitmap"):
        assert beside[part] == pytest.approx(3 * alone[part])
    assert beside["MAC units"] == alone["MAC units"]
    with pytest.raises(ValueError, match="mcaches was 0, but must be at least 1"):
        chip_area(EYERISS, 49, 20, mcaches=0)


def test_a_weight_serves_a_row_and_not_a_vector() -> None:
    """At 7 x 7 pixels a set has a row of seven with one weight, where dealt vectors leave one pixel a set."""
    work = Work(VectorShape(1, 49, 1, 512, 2048, output_rows=7))
    rows, vectors = (layer_cost(array, work)["fair"].baseline.accesses for array in (EYERISS, VECTORS))
    assert rows.mac == vectors.mac
    assert rows.pe_to_pe < vectors.pe_to_pe / 2


def test_scopes_of_a_group_by_hand() -> None:
    shape = VectorShape(6, 4, 3, 3, 8, images=2, depth=3, output_rows=2)
    columns = EYERISS.changed(rows=3, columns=4)
    assert Tasks.of(columns.changed(replicated="channels"), shape).members.tolist() == [
        [0, 1], [2, -1], [3, 4], [5, -1],
    ]  # fmt: skip
    assert Tasks.of(columns.changed(replicated="images"), shape).members.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert np.array_equal(Tasks.of(columns, shape).members, np.arange(6)[:, None])
