"""Does attention with reuse take every option of ``nn.MultiheadAttention``?"""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mercuric import ReuseConfig, restore_, reuse_

L, S, N, E, HEADS = 5, 7, 3, 8, 2
PADDING = torch.arange(S) >= torch.tensor([7, 4, 6])[:, None]
CAUSAL = torch.ones(L, S, dtype=torch.bool).triu(1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def blocked(*shape: int) -> Tensor:
    """A mask of bool that leaves each query its first key."""
    mask = noise(*shape, seed=9) > 0.3
    mask[..., 0] = False
    return mask


MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "padding": {"key_padding_mask": PADDING},
    "float padding": {"key_padding_mask": torch.zeros(N, S).masked_fill(PADDING, -torch.inf)},
    "2-D": {"attn_mask": blocked(L, S)},
    "2-D float": {"attn_mask": noise(L, S, seed=4)},
    "3-D": {"attn_mask": blocked(N * HEADS, L, S)},
    "3-D float and padding": {
        "attn_mask": noise(N * HEADS, L, S, seed=4),
        "key_padding_mask": torch.zeros(N, S).masked_fill(PADDING, -torch.inf),
    },
    "both": {"attn_mask": blocked(L, S), "key_padding_mask": PADDING},
    "causal": {"attn_mask": CAUSAL, "is_causal": True},
    "weights of each head": {"average_attn_weights": False},
    "no weights": {"need_weights": False},
    "no weights, causal and padding": {
        "need_weights": False, "attn_mask": CAUSAL, "is_causal": True, "key_padding_mask": PADDING,
    },
}  # fmt: skip
LAYERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sequence first": {"batch_first": False},
    "no bias": {"bias": False},
    "kdim and vdim": {"kdim": 6, "vdim": 4},
    "bias of keys and values": {"add_bias_kv": True},
    "zero attention": {"add_zero_attn": True},
    "all": {"add_bias_kv": True, "add_zero_attn": True, "kdim": 6, "vdim": 4, "batch_first": False},
}


def compared(options: dict[str, Any], inputs: list[Tensor], masks: dict[str, Any], backward: str) -> None:
    """Forward and gradients of the dense layer and of the layer with reuse; nothing is alike."""
    torch.manual_seed(0)
    dense = nn.Sequential(nn.MultiheadAttention(E, HEADS, **options))
    reused = copy.deepcopy(dense)
    handle = reuse_(reused, ReuseConfig(bits=128, entries=None, backward=backward))
    results = []
    for model in (dense, reused):
        leaves = {id(x): x.clone().requires_grad_() for x in inputs}
        output, weights = model[0](*(leaves[id(x)] for x in inputs), **masks)
        output.square().sum().backward()
        gradients = [*(leaf.grad for leaf in leaves.values()), *(value.grad for value in model.parameters())]
        results.append([output, weights, *gradients])
    assert handle.report()["HIT"].sum() == 0
    assert (handle.report()["vectors"] > 0).all()
    # Where weights are nearly equal, the gradients of the values really are alike.
    counts = handle.report().filter(like="gradient_").sum()
    alike = backward == "signature" and counts["gradient_HIT"] > counts["gradient_zero_hits"]
    for one, other in list(zip(*results, strict=True))[: 2 if alike else None]:
        if one is None:
            assert other is None
        else:
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    restore_(reused)
    assert [type(module) for module in reused.modules()] == [type(module) for module in dense.modules()]
    assert list(reused.state_dict()) == list(dense.state_dict())


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("layer", LAYERS)
def test_every_option(layer: str, mask: str, backward: str) -> None:
    options = {"batch_first": True, **LAYERS[layer]}
    inputs = [
        noise(N, L, E),
        noise(N, S, options.get("kdim", E), seed=1),
        noise(N, S, options.get("vdim", E), seed=2),
    ]  # fmt: skip
    if not options["batch_first"]:
        inputs = [x.transpose(0, 1) for x in inputs]
    compared(options, inputs, MASKS[mask], backward)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("alike", ["query, key and value", "key and value"])
def test_one_tensor_for_several(alike: str, batch_first: bool, backward: str) -> None:
    query, key = noise(N, L, E), noise(N, L, E, seed=1)
    inputs = [query] * 3 if alike.startswith("query") else [query, key, key]
    compared({"batch_first": batch_first}, inputs, {}, backward)


@pytest.mark.parametrize(
    "masks",
    [
        {}, {"key_padding_mask": PADDING[1]},
        {"attn_mask": blocked(L, S)}, {"attn_mask": blocked(HEADS, L, S)},
        {"average_attn_weights": False}, {"need_weights": False},
    ],
    ids=["none", "padding", "2-D", "3-D", "weights of each head", "no weights"],
)  # fmt: skip
def test_without_a_batch(masks: dict[str, Any], backward: str) -> None:
    compared({}, [noise(L, E), noise(S, E, seed=1), noise(S, E, seed=2)], masks, backward)


def test_alike_queries_share_rows_and_weights() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.MultiheadAttention(E, HEADS, batch_first=True))
    words = noise(N, L, E).repeat_interleave(2, 1)
    expected = model[0](words, words, words)
    handle = reuse_(model, ReuseConfig(bits=128, entries=None))
    found = model[0](words, words, words)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert handle.report()["HIT"].tolist() == [N * L, N * HEADS * L, N * L]
