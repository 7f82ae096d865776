"""Several arrays: every multiplication is somebody's, and words cross as a count of single words says."""

from collections import Counter
from dataclasses import replace
from itertools import product as every

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.accelerator import layer_cost, preset
from mercuric.accelerator.arrays import busy, shares
from mercuric.accelerator.count.array_cycles import latencies
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.energy.transfers import Transfers, dense_transfers, mercury_transfers
from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.trace.work import Product, Work

PRODUCTS: tuple[Product, ...] = ("forward", "input_gradient", "weight_gradient")
ONE = preset("weight-168").changed(rows=4, columns=3, entries=8, ways=2, buffer_kib=4096)
LINEAR = Work(VectorShape(1, 4, 1, 3, filters=5), kind="linear")
IMAGES = Work(VectorShape(3, 2, 1, 3, filters=5, images=3))


def hitmap(shape: VectorShape, seed: int) -> Hitmap:
    """Every vector hits the first of its scope, or misses."""
    hits = torch.rand(shape.scopes, shape.vectors, generator=torch.Generator().manual_seed(seed)) < 0.5
    hits[:, :1] = False
    own = torch.arange(shape.vectors).expand(shape.scopes, -1)
    return Hitmap((~hits).to(torch.uint8), torch.where(hits, 0, own))


@st.composite
def works(draw: st.DrawFn) -> Work:
    images, groups, depth = (draw(st.integers(1, 4)) for _ in range(3))
    vectors, rows, elements, filters = (draw(st.integers(1, 5)) for _ in range(4))
    shape = VectorShape(images * groups * depth, vectors, rows, elements, filters, images, depth)
    return Work(shape, hitmap(shape, draw(st.integers(0, 99))), bits=draw(st.integers(1, 6)))


@st.composite
def accelerators(draw: st.DrawFn) -> Accelerator:
    base = draw(st.sampled_from([ONE, ONE.changed(dataflow="output"), ONE.changed(dataflow="row", rows=5)]))
    return base.changed(arrays=draw(st.integers(1, 5)), split_by=draw(st.sampled_from(["filters", "images"])))


def dealt(count: int, arrays: int) -> list[int]:
    """Who gets each of ``count`` things: one after the other, those that come first one more."""
    least, more = divmod(count, arrays)
    return [array for array in range(arrays) for _ in range(least + (array < more))]


def owners(accelerator: Accelerator, work: Work) -> dict[tuple[int, int], int]:
    """Which array multiplies a scope with a filter, one multiplication at a time."""
    shape, arrays = work.shape, accelerator.arrays
    groups = shape.scopes // (shape.images * shape.depth)
    whose = {}
    for scope, filter_ in every(range(shape.scopes), range(shape.filters)):
        image, group = scope // (groups * shape.depth), scope // shape.depth % groups
        if accelerator.split_by == "images":
            whose[scope, filter_] = dealt(shape.images, arrays)[image]
        elif groups > 1:
            whose[scope, filter_] = dealt(groups, arrays)[group]
        else:
            whose[scope, filter_] = dealt(shape.filters, arrays)[filter_]
    return whose


def words_by_one(accelerator: Accelerator, work: Work) -> tuple[int, int]:
    """Single words that anyone touches, and those that further arrays touch as well."""
    shape = work.shape
    groups = shape.scopes // (shape.images * shape.depth)
    touched: set[tuple[object, ...]] = set()
    for (scope, filter_), array in owners(accelerator, work).items():
        image, group = scope // (groups * shape.depth), scope // shape.depth % groups
        for vector, element in every(range(shape.vectors), range(shape.length)):
            touched.add((array, "input", scope, vector, element))
            touched.add((array, "weight", scope % (groups * shape.depth), element, filter_))
            touched.add((array, "output", image, group, vector, filter_))
    arrays = Counter(word[1:] for word in touched)
    return len(arrays), sum(count - 1 for count in arrays.values())


@given(works(), accelerators())
@settings(deadline=None, max_examples=60)
def test_words_cross_as_single_words_do(work: Work, accelerator: Accelerator) -> None:
    dram, link = words_by_one(accelerator, work)
    parts = shares(accelerator, work)
    for product in PRODUCTS:
        words = dense_transfers(accelerator, parts, product)
        assert (words.dram, words.link) == (dram, link)


@given(works(), accelerators())
@settings(deadline=None, max_examples=60)
def test_work_is_conserved_and_the_slowest_decides(work: Work, accelerator: Accelerator) -> None:
    parts, dataflow = shares(accelerator, work), dataflow_of(accelerator)
    loads = Counter(owners(accelerator, work).values())
    assert sum(share.work.shape.macs * share.arrays for share in parts) == work.shape.macs
    assert sum(share.arrays for share in parts) == busy(accelerator, work) == len(loads)
    each = work.shape.vectors * work.shape.length
    expected = sorted((load * each for load in loads.values()), reverse=True)
    assert [share.work.shape.macs for share in parts for _ in range(share.arrays)] == expected

    counted = latencies(accelerator, work, PRODUCTS)
    for product in PRODUCTS:
        alone = [dataflow.cycles(accelerator, share.work, PRODUCTS)[product]["fair"] for share in parts]
        assert counted[product]["fair"].mercury == max(cycles.mercury for cycles in alone)
        assert counted[product]["fair"].baseline == max(cycles.baseline for cycles in alone)


@given(works(), accelerators())
@settings(deadline=None, max_examples=30)
def test_one_array_is_what_it_was(work: Work, accelerator: Accelerator) -> None:
    one = accelerator.changed(arrays=1)
    assert latencies(one, work, PRODUCTS) == dataflow_of(one).cycles(one, work, PRODUCTS)
    assert all(layer.mercury.accesses.link == 0 for layer in layer_cost(one, work).values())
    several = layer_cost(accelerator, work)["paper"]
    macs = layer_cost(one, work)["paper"].baseline.accesses.mac
    tensors = [dense_transfers(accelerator, shares(accelerator, work), product) for product in PRODUCTS]
    assert several.baseline.accesses.mac == macs + sum(words.added for words in tensors)


@pytest.mark.parametrize(
    ("work", "split", "product", "expected"),
    [
        # 12 input words to the other array, or its sums of them; weights 9 + 6, outputs 12 + 8.
        (LINEAR, "filters", "forward", Transfers(47, 12)),
        (LINEAR, "filters", "input_gradient", Transfers(47, 12, 12)),
        (LINEAR, "filters", "weight_gradient", Transfers(47, 12)),
        # 15 weights for two images here and one there: inputs 12 + 6, outputs 20 + 10.
        (IMAGES, "images", "forward", Transfers(63, 15)),
        (IMAGES, "images", "input_gradient", Transfers(63, 15)),
        (IMAGES, "images", "weight_gradient", Transfers(63, 15, 15)),
        (LINEAR, "images", "forward", Transfers(47)),
    ],
)
def test_transfers_by_hand(work: Work, split: str, product: Product, expected: Transfers) -> None:
    accelerator = ONE.changed(arrays=2, split_by=split)
    assert dense_transfers(accelerator, shares(accelerator, work), product) == expected


def test_every_array_gets_random_filters_and_saves_its_own_signatures() -> None:
    accelerator = ONE.changed(arrays=2)
    work = Work(LINEAR.shape, hitmap(LINEAR.shape, 0), bits=4, kind="linear")
    # 3 x 4 words of random filters; 4 vectors x (4 + 3 + 2) bits are 3 words an array.
    parts = shares(accelerator, work)
    forward = mercury_transfers(accelerator, parts, "forward", training=True, signed=True)
    assert forward == Transfers(47 + 12 + 2 * 3, 12 + 12)
    backward = mercury_transfers(accelerator, parts, "weight_gradient", training=True, signed=False)
    assert backward == Transfers(47 + 2 * 3, 12)
    inference = mercury_transfers(accelerator, parts, "forward", training=False, signed=True)
    assert inference == Transfers(47 + 12, 12 + 12)
    reloaded, computed = (
        mercury_transfers(accelerator, parts, "input_gradient", training=True, signed=signed)
        for signed in (False, True)
    )
    assert computed == replace(reloaded, dram=reloaded.dram + 12, link=reloaded.link + 12)


def test_more_arrays_than_filters_or_images_leave_some_idle() -> None:
    assert busy(ONE.changed(arrays=8), LINEAR) == 5
    assert busy(ONE.changed(arrays=8, split_by="images"), IMAGES) == 3
    assert busy(ONE.changed(arrays=8, split_by="images"), LINEAR) == 1
    heads = Work(VectorShape(6, 4, 1, 3, filters=5), kind="attention")
    assert busy(ONE.changed(arrays=8, split_by="images"), heads) == 6


def test_link_and_dram_decide_where_they_are_slower() -> None:
    fast = ONE.changed(arrays=2)
    tensors = operands(LINEAR.shape)
    free = latencies(fast, LINEAR, ["forward"], tensors)["forward"]["paper"]
    slow = fast.changed(link_words_per_cycle=0.01, dram_words_per_cycle=0.1)
    waiting = latencies(slow, LINEAR, ["forward"], tensors)["forward"]["paper"]
    assert (waiting.baseline, waiting.baseline_link, waiting.baseline_dram) == (1200, 1200 - free.baseline, 0)
    by_dram = latencies(slow.changed(link_words_per_cycle=None), LINEAR, ["forward"], tensors)
    assert by_dram["forward"]["paper"].baseline == 470
    assert by_dram["forward"]["paper"].dram == 470 - free.mercury
    assert latencies(slow, LINEAR, ["forward"])["forward"]["paper"] == free  # nobody knows the words


@given(works(), accelerators(), st.floats(0.05, 8), st.floats(0, 1))
@settings(deadline=None, max_examples=30)
def test_latency_is_that_of_layer_cost(
    work: Work, accelerator: Accelerator, words: float, hits: float
) -> None:
    bounded = accelerator.changed(
        dram_words_per_cycle=words, dram_row_hits=hits, link_words_per_cycle=2 * words
    )
    tensors = operands(work.shape)
    counted = latencies(bounded, work, PRODUCTS, tensors)
    for timing, cost in layer_cost(bounded, work, tensors).items():
        assert cost.baseline.latency == sum(counted[one][timing].baseline for one in PRODUCTS)
        assert cost.mercury.latency == sum(counted[one][timing].mercury for one in PRODUCTS)
    faster = latencies(bounded.changed(dram_words_per_cycle=2 * words), work, PRODUCTS, tensors)
    assert all(
        faster[one]["fair"].baseline <= counted[one]["fair"].baseline
        and faster[one]["fair"].mercury <= counted[one]["fair"].mercury
        for one in PRODUCTS
    )
