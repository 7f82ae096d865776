"""Does a plan make every product once, and is attention by it the definition's?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_prefix_tree import batches
from torch import Tensor

from mercuric.prefixes import plan as plans
from mercuric.prefixes.attention import tree_attention
from mercuric.prefixes.plan import AttentionPlan, attention_plan
from mercuric.prefixes.tree import PrefixTree, allowed, prefix_tree
from mercuric.prefixes.tree_mask import TreeMask

CALLS = (1, 10, 100, 2048)


def covered(plan: AttentionPlan) -> np.ndarray:
    """How often a plan computes each product that it doesn't throw away."""
    times = np.zeros((plan.nodes, plan.nodes), dtype=int)
    for start, length, count in plan.triangles:
        for first in range(start, start + length * count, length):
            inside = slice(first, first + length)
            times[inside, inside] += np.tril(np.ones((length, length), dtype=int))
    for start, stop, mask in plan.patches:
        times[start:stop, start:stop] += mask
    for first, last, start, stop in plan.rectangles:
        times[first:last, start:stop] += 1
    return times


def defined(query: Tensor, key: Tensor, value: Tensor, tree: PrefixTree) -> Tensor:
    hidden = ~torch.from_numpy(allowed(tree.end, tree.seen))
    products = (query @ key.transpose(-1, -2) * 0.5).masked_fill(hidden, -1e30)
    return products.softmax(-1).masked_fill(hidden, 0.0) @ value


@given(batches(), st.sampled_from(CALLS))
def test_each_product_is_made_once(batch: tuple, call: int) -> None:
    tree = prefix_tree(*batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "CALL", call)
        plan = attention_plan(tree.end, tree.seen) if len(tree) else None
    if plan is not None:
        assert (covered(plan) == allowed(tree.end, tree.seen)).all()


@given(batches(), st.sampled_from(CALLS), st.integers(0, 2**31))
def test_numbers_and_gradients_are_the_definitions(batch: tuple, call: int, seed: int) -> None:
    tree = prefix_tree(*batch)
    if not len(tree):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "CALL", call)
        plan = attention_plan(tree.end, tree.seen)
    drawn = torch.Generator().manual_seed(seed)
    made = [torch.randn(1, len(tree), 2, 4, dtype=torch.float64, generator=drawn) for _ in range(4)]
    *given_, gradient = (one.transpose(1, 2) for one in made)
    inputs = [one.requires_grad_() for one in given_]
    expected, found = defined(*inputs, tree), tree_attention(*inputs, plan, 0.5)
    assert torch.allclose(expected, found, rtol=0, atol=1e-12)
    pairs = zip(*(torch.autograd.grad(one, inputs, gradient) for one in (expected, found)), strict=True)
    assert all(torch.allclose(one, other, rtol=0, atol=1e-12) for one, other in pairs)


def test_a_long_prompt_wastes_little() -> None:
    ids = np.concatenate([np.zeros((8, 512), dtype=int), np.arange(8 * 64).reshape(8, 64) + 1], 1)
    tree = prefix_tree(ids, np.ones(ids.shape, dtype=bool))
    plan = attention_plan(tree.end, tree.seen)
    needed = int(allowed(tree.end, tree.seen).sum())
    assert (len(tree), plan.whole, plan.patches) == (1024, True, ())
    assert needed < plan.products < 1.15 * needed
    assert len(plan.triangles) + len(plan.rectangles) <= 8


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_numbers(dtype: torch.dtype) -> None:
    ids = np.random.default_rng(0).integers(0, 2, (6, 12))
    tree = prefix_tree(ids, np.ones(ids.shape, dtype=bool))
    plan = attention_plan(tree.end, tree.seen)
    query, key, value = torch.randn(
        3, 1, 2, len(tree), 8, generator=torch.Generator().manual_seed(0)
    ).unbind()
    found = tree_attention(query.to(dtype), key.to(dtype), value.to(dtype), plan, 0.5)
    assert found.dtype == dtype
    assert torch.allclose(found.float(), defined(query, key, value, tree), atol=0.05)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_gradients_of_short_numbers_are_rounded_once(dtype: torch.dtype) -> None:
    ids = np.concatenate([np.zeros((8, 96), dtype=int), np.arange(8 * 32).reshape(8, 32) + 1], 1)
    tree = prefix_tree(ids, np.ones(ids.shape, dtype=bool))
    plan = attention_plan(tree.end, tree.seen)
    drawn = torch.Generator().manual_seed(0)
    *short, gradient = torch.randn(4, 1, 4, len(tree), 32, generator=drawn).to(dtype).unbind()
    exact = [one.double().requires_grad_() for one in short]
    expected = torch.autograd.grad(defined(*exact, tree), exact, gradient.double())
    inputs = [one.requires_grad_() for one in short]
    found = torch.autograd.grad(tree_attention(*inputs, plan, 0.5), inputs, gradient)
    errors = [float((one - other).norm()) for one, other in zip(found, expected, strict=True)]
    rounding = [float((one.to(dtype) - one).norm()) for one in expected]
    assert [one.dtype for one in found] == 3 * [dtype]
    assert errors[2] < 1.05 * rounding[2]
    assert all(one < 3 * least for one, least in zip(errors, rounding, strict=True))


@pytest.mark.parametrize("grouped", [False, True])
def test_a_mask_is_met_by_attention_and_is_numbers_to_all_else(grouped: bool) -> None:
    ids = np.random.default_rng(1).integers(0, 2, (6, 12))
    tree = prefix_tree(ids, np.ones(ids.shape, dtype=bool))
    drawn = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, len(tree), 8, generator=drawn)
    key, value = torch.randn(2, 1, 2 if grouped else 4, len(tree), 8, generator=drawn).unbind()
    wide = torch.randn(1, 4, len(tree), 9, generator=drawn)
    mask = TreeMask.of(tree, None, query)
    assert (mask.shape, mask.dtype, mask.ndim) == ((1, 1, len(tree), len(tree)), torch.float32, 4)
    numbers = mask + 0.0
    assert type(numbers) is Tensor and (numbers[0, 0] == 0).equal(
        torch.from_numpy(allowed(tree.end, tree.seen))
    )
    attend = torch.nn.functional.scaled_dot_product_attention
    for given_ in ((query, key, value), *([] if grouped else [(query, key, wide)])):
        expected = attend(*given_, attn_mask=numbers, enable_gqa=grouped)
        assert torch.allclose(attend(*given_, attn_mask=mask, enable_gqa=grouped), expected, atol=1e-6)
