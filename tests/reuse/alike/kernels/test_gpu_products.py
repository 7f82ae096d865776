"""Do a GPU's compaction and products equal their definitions on odd shapes?"""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from windows_drawn import TOLERANCE, Layer, first_of_kind, layers

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

from mercuric.reuse.alike.kernels.gpu.compaction import Computed, compact, reference_compaction
from mercuric.reuse.alike.kernels.gpu.gradient_sum import group_sums, reference_sums
from mercuric.reuse.alike.kernels.gpu.input_gradient import input_gradient, reference_input_gradient
from mercuric.reuse.alike.kernels.gpu.product import reference_product, windows_product
from mercuric.reuse.alike.kernels.gpu.weight_gradient import reference_weight_gradient, weight_gradient
from mercuric.similarity import MCache
from mercuric.similarity.window_grid import WindowGrid

FEW = settings(max_examples=8, deadline=None)
KINDS = st.sampled_from([1, 4, 1000])
CAPACITIES = st.sampled_from([1, 3, 1000])


def assert_near(found: Tensor, expected: Tensor, dtype: torch.dtype) -> None:
    scale = float(expected.float().abs().max())
    torch.testing.assert_close(found.float(), expected.float(), rtol=0, atol=TOLERANCE[dtype] * max(1, scale))


def computed_windows(layer: Layer, kinds: int, capacity: int, device: torch.device) -> Computed:
    return compact(first_of_kind(layer.grid.windows, kinds, layer.seed, device), capacity)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 70), KINDS, CAPACITIES, st.integers(0, 99))
@example(count=70, kinds=1000, capacity=1, seed=0)
def test_rows_are_the_definitions(
    device: torch.device, count: int, kinds: int, capacity: int, seed: int
) -> None:
    representatives = first_of_kind(count, kinds, seed, device)
    found, expected = compact(representatives, capacity), reference_compaction(representatives, capacity)
    assert found.capacity == expected.capacity <= count
    for name in ("source", "windows", "rows", "count", "shared"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name


@FEW
@given(st.integers(1, 70), KINDS, st.sampled_from([1, 3, 60]), st.integers(0, 99))
def test_a_capacity_is_a_fully_associative_mcache(
    device: torch.device, count: int, kinds: int, capacity: int, seed: int
) -> None:
    representatives = first_of_kind(count, kinds, seed, device)
    cache = MCache(entries=capacity, ways=capacity)
    hitmap = cache.reference_access(representatives.long()[None])
    assert torch.equal(compact(representatives, capacity).source, hitmap.representatives[0].int())


def test_a_capacity_of_no_group_is_refused(device: torch.device) -> None:
    for capacity in (0, -1):
        with pytest.raises(ValueError, match=f"capacity was {capacity}, but must be at least 1"):
            compact(torch.zeros(3, dtype=torch.int32, device=device), capacity)


@FEW
@given(layers(), KINDS, CAPACITIES, st.booleans())
def test_products_are_the_definitions(
    device: torch.device, layer: Layer, kinds: int, capacity: int, has_bias: bool
) -> None:
    computed = computed_windows(layer, kinds, capacity, device)
    images, weight = layer.images(device), layer.weight(device)
    bias = layer.normal(device, layer.filters) if has_bias else None
    found = windows_product(images, weight, bias, computed, layer.grid)
    assert found.is_contiguous(memory_format=torch.channels_last) and found.dtype == layer.dtype
    expected = reference_product(images, weight, bias, computed.source, layer.grid)
    assert_near(found.permute(0, 2, 3, 1).reshape(expected.shape), expected, layer.dtype)


@FEW
@given(layers(), KINDS, CAPACITIES)
def test_sums_of_gradients_are_the_definitions(
    device: torch.device, layer: Layer, kinds: int, capacity: int
) -> None:
    computed = computed_windows(layer, kinds, capacity, device)
    gradient = layer.gradient(device)
    found, expected = group_sums(gradient, computed), reference_sums(gradient, computed)
    assert found.shape == (computed.capacity, layer.filters)
    shared = int(computed.shared)
    assert_near(found[:shared], expected[:shared], layer.dtype)


@FEW
@given(layers(), KINDS, CAPACITIES)
def test_gradients_are_the_definitions(device: torch.device, layer: Layer, kinds: int, capacity: int) -> None:
    computed = computed_windows(layer, kinds, capacity, device)
    images, weight, gradient = layer.images(device), layer.weight(device), layer.gradient(device)
    sums = group_sums(gradient, computed)
    found = weight_gradient(images, gradient, sums, computed, layer.grid)
    assert_near(found, reference_weight_gradient(images, gradient, computed.source, layer.grid), layer.dtype)
    found = input_gradient(gradient, sums, weight, computed, layer.grid)
    assert_near(found, reference_input_gradient(gradient, weight, computed.source, layer.grid), layer.dtype)


def test_many_windows_are_split_over_programs(device: torch.device) -> None:
    grid = WindowGrid(20, 20, (1, 1), (1, 1), (1, 1), 0, 0, (1, 20, 20))
    layer = Layer(grid, 3, 2, torch.float32, 0)
    computed = computed_windows(layer, 1000, 1000, device)
    images, gradient = layer.images(device), layer.gradient(device)
    sums = group_sums(gradient, computed)
    found = weight_gradient(images, gradient, sums, computed, grid)
    assert_near(found, reference_weight_gradient(images, gradient, computed.source, grid), torch.float32)
