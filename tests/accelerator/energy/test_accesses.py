from dataclasses import astuple, replace
from itertools import product as every

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.dataflows.traffic import ArrayTraffic, DotProducts
from mercuric.accelerator.energy.accesses import Accesses, baseline_accesses, reuse_accesses
from mercuric.accelerator.energy.dram_traffic import dram_words
from mercuric.accelerator.energy.energies import WordCosts, as_energies
from mercuric.accelerator.energy.operands import Operands, operands
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Product, Work

COSTS = WordCosts(1, 2, 6)
PRODUCTS: tuple[Product, ...] = ("forward", "input_gradient", "weight_gradient")
SMALL = Accelerator(
    name="small", rows=4, columns=3, clock_mhz=100, entries=8, ways=2, register_file_words=12, buffer_kib=1
)
WORKED = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, depth=64)


@st.composite
def works(draw: st.DrawFn) -> tuple[Accelerator, Work, Operands]:
    """Any dataflow, a small layer of overlapping vectors, and a Hitmap whose first vectors are misses."""
    small = st.integers(1, 4)
    images, depth, groups = draw(small), draw(small), draw(st.integers(1, 2))
    lines, rows, elements = draw(small), draw(small), draw(small)
    scopes, vectors = images * depth * groups, lines * draw(st.integers(1, 3))
    shape = VectorShape(scopes, vectors, rows, elements, draw(small), images, depth, lines)
    covered = shape.scopes * vectors * shape.length
    tensors = operands(shape, draw(st.integers(1, covered)), draw(st.integers(1, elements)))
    states = np.array(draw(st.lists(st.integers(0, 2), min_size=vectors, max_size=vectors)), dtype=np.uint8)
    states[0] = 1
    hitmap = Hitmap(
        torch.from_numpy(np.tile(states, (shape.scopes, 1))),
        torch.zeros(shape.scopes, vectors, dtype=torch.int64),
    )
    dataflow = draw(st.sampled_from(["row", "weight", "input", "output"]))
    accelerator = SMALL.changed(
        dataflow=dataflow,
        register_file_words=draw(st.integers(3, 40)),
        dealing=draw(st.sampled_from(["vectors", "products", "rows"])) if dataflow == "row" else "vectors",
    )
    return accelerator, Work(shape, hitmap, draw(st.integers(1, 5))), tensors


def all_missing(work: Work) -> Work:
    assert work.hitmap is not None
    return replace(work, hitmap=Hitmap(torch.full_like(work.hitmap.states, 2), work.hitmap.representatives))


DATA = ("mac", "register_file", "pe_to_pe", "buffer", "dram")


@settings(max_examples=50, deadline=None)
@given(works(), st.sampled_from(PRODUCTS))
def test_without_a_hit_the_data_is_accessed_as_in_the_baseline(
    drawn: tuple[Accelerator, Work, Operands], product: Product
) -> None:
    accelerator, work, tensors = drawn
    work = replace(all_missing(work), bits=0)
    reused = reuse_accesses(accelerator, work, tensors, product, training=False)
    dense = baseline_accesses(accelerator, work, tensors, product, "paper")
    if product == "forward":
        assert [getattr(reused, level) for level in DATA] == [getattr(dense, level) for level in DATA]
    assert reused.mcache_data == reused.mcache_tag == 0
    assert all(getattr(reused, level) >= getattr(dense, level) for level in DATA)


@settings(max_examples=50, deadline=None)
@given(works(), st.sampled_from(PRODUCTS))
def test_hits_never_add_macs_or_register_accesses(
    drawn: tuple[Accelerator, Work, Operands], product: Product
) -> None:
    accelerator, work, tensors = drawn
    some = reuse_accesses(accelerator, work, tensors, product, training=True)
    none = reuse_accesses(accelerator, all_missing(work), tensors, product, training=True)
    for level in ("mac", "register_file", "pe_to_pe", "buffer"):
        assert getattr(some, level) <= getattr(none, level)
    assert some.dram == none.dram


@settings(max_examples=50, deadline=None)
@given(works(), st.sampled_from(PRODUCTS))
def test_conservation(drawn: tuple[Accelerator, Work, Operands], product: Product) -> None:
    accelerator, work, tensors = drawn
    paper = baseline_accesses(accelerator, work, tensors, product, "paper")
    fair = baseline_accesses(accelerator, work, tensors, product, "fair")
    assert paper.mac == fair.mac == work.shape.macs
    assert paper.dram == fair.dram >= tensors.words.total
    # Input, weight and partial sum of each multiplication come from a register or a neighbour (or, at an
    # array's edge, from the buffer).
    for dense in (paper, fair):
        assert dense.register_file + dense.pe_to_pe + dense.buffer >= 3 * dense.mac
        assert dense.buffer >= dense.dram
    if product == "forward" and accelerator.dataflow == "row":  # which the tile is chosen for
        assert array_energy(fair, accelerator) <= array_energy(paper, accelerator)


def moved_words(
    accelerator: Accelerator,
    shape: VectorShape,
    tensors: Operands,
    vectors: NDArray[np.int64],
    whole: bool = False,
) -> ArrayTraffic:
    computed = DotProducts(shape, "conv", tensors, vectors, COSTS, whole)
    return dataflow_of(accelerator).traffic(accelerator, computed)


def array_energy(counted: Accesses, accelerator: Accelerator) -> float:
    costs = as_energies(accelerator.energies).on(accelerator)
    return (
        costs.register_file * counted.register_file
        + costs.pe_to_pe * counted.pe_to_pe
        + costs.buffer * counted.buffer
    )


@settings(max_examples=50, deadline=None)
@given(works(), st.booleans())
def test_no_other_tile_of_a_row_stationary_array_takes_less_energy(
    drawn: tuple[Accelerator, Work, Operands], whole: bool
) -> None:
    """A larger register file holds every tile of a smaller one: it never takes more, at equal costs."""
    accelerator, work, tensors = drawn
    accelerator = accelerator.changed(dataflow="row")
    everything = np.full(work.shape.scopes, work.shape.vectors)
    energies = []
    for words in (3, 5, 9, 30, 1000):
        array = accelerator.changed(register_file_words=words)
        traffic = moved_words(array, work.shape, tensors, everything, whole=whole)
        visited = COSTS.buffer * (traffic.visits.total + traffic.visits.outputs)
        energies.append(traffic.register_file + COSTS.pe_to_pe * traffic.pe_to_pe + visited)
    assert energies == sorted(energies, reverse=True)


@settings(max_examples=50, deadline=None)
@given(works())
def test_systolic_traffic_is_what_a_loop_over_every_mac_counts(
    drawn: tuple[Accelerator, Work, Operands],
) -> None:
    accelerator, work, tensors = drawn
    if accelerator.dataflow == "row":
        accelerator = accelerator.changed(dealing="vectors", dataflow="output")
    assert work.hitmap is not None
    computed = (work.hitmap.states != 0).sum(dim=1).numpy()
    traffic = moved_words(accelerator, work.shape, tensors, computed)
    entered = {"inputs": 0, "weights": 0, "outputs": 0}
    moved = macs = 0
    rows, columns = accelerator.rows, accelerator.columns
    for vectors in computed.tolist():
        for v, k, f in every(range(vectors), range(work.shape.length), range(work.shape.filters)):
            macs += 1
            across = f if accelerator.dataflow != "input" else v
            first_column = across % columns == 0
            if accelerator.dataflow == "weight":
                entered["weights"] += v == 0
                last_row = k % rows == rows - 1 or k == work.shape.length - 1
                streamed, summed = "inputs", last_row
            elif accelerator.dataflow == "input":
                entered["inputs"] += f == 0
                last_row = k % rows == rows - 1 or k == work.shape.length - 1
                streamed, summed = "weights", last_row
            else:
                entered["outputs"] += k == 0
                entered["weights"] += v % rows == 0
                moved += v % rows != 0
                streamed, summed = "inputs", None
            entered[streamed] += first_column
            moved += not first_column
            if summed is not None:
                entered["outputs"] += summed
                moved += not summed
    assert traffic.macs == macs
    assert traffic.pe_to_pe == moved
    assert astuple(traffic.visits) == (entered["inputs"], entered["weights"], entered["outputs"])


@settings(max_examples=50, deadline=None)
@given(works())
def test_dealt_products_send_operands_to_the_sets_that_hold_them(
    drawn: tuple[Accelerator, Work, Operands],
) -> None:
    """Counted pair by pair, where registers hold whole rows of all filters."""
    array, work, tensors = drawn
    array = array.changed(dataflow="row", dealing="products", register_file_words=10_000)
    shape, sets = work.shape, array.pes // work.shape.rows
    pairs = [(f, v) for f in range(shape.filters) for v in range(shape.vectors)]
    sizes = [len(pairs) // sets + (one < len(pairs) % sets) for one in range(sets)]
    sent = 0
    for size in sizes:
        block, pairs = pairs[:size], pairs[size:]
        sent += shape.rows * tensors.fresh * len({v for _, v in block})
        sent += shape.length * len({f for f, _ in block})
    everything = np.full(shape.scopes, shape.vectors)
    traffic = moved_words(array, shape, tensors, everything)
    assert traffic.register_file - 4 * traffic.macs == shape.scopes * sent
    assert traffic.pe_to_pe == shape.scopes * (sent + (shape.rows - 1) * shape.vectors * shape.filters)
    assert astuple(traffic.visits) == (
        tensors.words.inputs,
        shape.scopes * shape.length * shape.filters,
        shape.scopes * shape.vectors * shape.filters,
    )


def test_the_buffer_decides_what_dram_is_read_again() -> None:
    shape, tensors = WORKED, operands(WORKED, 64 * 32 * 32, 1)
    compulsory = tensors.words.total
    assert dram_words(10**9, shape, tensors, "outputs").total == compulsory
    sizes = [3, 64, 1024, 8192, 55_296]
    for accumulated in ("outputs", "inputs", "weights"):
        words = [dram_words(size, shape, tensors, accumulated).total for size in sizes]  # type: ignore[arg-type]
        assert words == sorted(words, reverse=True)
        assert words[0] > words[-1] >= compulsory


def test_a_tile_of_one_result_reads_every_operand_of_every_mac() -> None:
    shape = VectorShape(1, 5, 1, 7, 3)
    tensors = operands(shape)
    assert dram_words(3, shape, tensors, "outputs").total == 2 * shape.macs + tensors.words.outputs


def test_the_worked_example_of_the_document() -> None:
    accelerator = preset("eyeriss-168").changed(dealing="vectors")
    tensors = operands(WORKED, 64 * 32 * 32, 1)
    states = torch.zeros(64, 1024, dtype=torch.uint8)
    states[:, ::2] = 1
    work = Work(WORKED, Hitmap(states, torch.zeros(64, 1024, dtype=torch.int64)), bits=20)
    paper = baseline_accesses(accelerator, work, tensors, "forward", "paper")
    assert paper == Accesses(
        mac=37_748_736,
        register_file=4 * 37_748_736 + 196_608 + 36_864 * 56,
        pe_to_pe=196_608 + 36_864 * 56 + 4_194_304 * 2,
        buffer=65_536 + 36_864 + 2 * 4_194_304 - 65_536 + 167_936,
        dram=65_536 + 36_864 + 65_536,
    )
    mercury = reuse_accesses(accelerator, work, tensors, "forward", training=True)
    half, signatures = 37_748_736 // 2, 65_536 * 9 * 20
    assert mercury.mac == half + 32_768 * 64 + signatures
    assert mercury.mcache_tag == 20 * (65_536 * 16 + 32_768)
    assert mercury.mcache_data == (32_768 + 32_768) * 64
    assert mercury.signature_table == 65_536 * 30 + 65_536 * 10 * 64
    assert mercury.hitmap == 2 * 65_536 * 65
    assert mercury.dram == 167_936 + 65_536 * 32 // 16 + 9 * 20


def test_a_larger_batch_shares_filters_in_the_fair_baseline() -> None:
    for name in ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary"):
        accelerator = preset(name)
        costs = []
        for images in (1, 16):
            shape = VectorShape(512 * images, 49, 3, 3, 512, images, 512, output_rows=7)
            work, tensors = Work(shape), operands(shape, 512 * 49 * images, 1)
            counted = baseline_accesses(accelerator, work, tensors, "forward", "fair")
            costs.append((counted.buffer / images, counted.dram / images))
        assert costs[1][0] < costs[0][0]
        assert costs[1][1] < costs[0][1]


def test_what_is_refused() -> None:
    shape = VectorShape(1, 4, 3, 3, 2)
    with pytest.raises(ValueError, match="inputs was 37, but must be from 0 to the 36 elements"):
        operands(shape, inputs=37)
    with pytest.raises(ValueError, match="fresh was 4, but must be from 1 to the 3 elements"):
        operands(shape, fresh=4)
    with pytest.raises(ValueError, match="hitmap was None"):
        reuse_accesses(SMALL, Work(shape), operands(shape), "forward", training=True)
    with pytest.raises(ValueError, match="has 2 PEs, but a kernel of 3 rows needs"):
        narrow = SMALL.changed(rows=1, columns=2)
        baseline_accesses(narrow, Work(shape), operands(shape), "forward", "paper")
