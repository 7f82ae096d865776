"""Does ``ReuseConv1d`` compute what ``nn.Conv1d`` does, and share as images of one row do?"""

import math
import re
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import Alike, ReuseConv1d, ReuseConv2d, reuse_
from mercuric.reuse.kinds.conv1d import CONV1D

EXACT = Alike(bits=128)
"""So many bits that only equal vectors are alike."""


def signals(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def outcome(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """Output and gradients."""
    tracked = x.clone().requires_grad_()
    output = layer(tracked)
    upstream = torch.linspace(-1, 2, output.numel(), dtype=torch.float64).sin().to(output.dtype)
    gradients = torch.autograd.grad(output, [tracked, *layer.parameters()], upstream.view_as(output))
    return [output, *gradients]


def agree(found: list[Tensor], expected: list[Tensor], tolerance: float | None = None) -> None:
    for one, other in zip(found, expected, strict=True):
        near = tolerance or (1e-10 if other.dtype == torch.float64 else 1e-4)
        torch.testing.assert_close(one, other, rtol=near, atol=near)


def both(options: dict[str, Any], config: Alike = EXACT) -> tuple[ReuseConv1d, nn.Conv1d]:
    torch.manual_seed(0)
    plain = nn.Conv1d(**options)
    layer = ReuseConv1d(**options, reuse=config)
    layer.load_state_dict(plain.state_dict())
    return layer, plain


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    groups, span, filters = draw(st.sampled_from([(1, 1, 1), (1, 4, 3), (2, 2, 3), (4, 1, 1), (3, 1, 2)]))
    stride = draw(st.integers(1, 3))
    padding = draw(st.sampled_from([0, 1, 3, "same", "valid"]))
    assume(padding != "same" or stride == 1)
    return {
        "in_channels": groups * span,
        "out_channels": groups * filters,
        "kernel_size": draw(st.sampled_from([1, 2, 3, 4, 5])),
        "stride": stride,
        "dilation": draw(st.integers(1, 2)),
        "groups": groups,
        "padding": padding,
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        "bias": draw(st.booleans()),
        "dtype": draw(st.sampled_from([torch.float32, torch.float64])),
    }


@settings(max_examples=100, deadline=None)
@given(
    options(), st.sampled_from([9, 10, 41]), st.sampled_from([None, 1, 3]),
    st.sampled_from(["channel", "patch"]), st.sampled_from(["image", "batch"]),
)  # fmt: skip
def test_as_pytorch(
    chosen: dict[str, Any], length: int, batch: int | None, granularity: Any, scope: Any
) -> None:
    layer, plain = both(chosen, Alike(bits=128, granularity=granularity, scope=scope))
    shape = (chosen["in_channels"], length) if batch is None else (batch, chosen["in_channels"], length)
    x = signals(*shape, dtype=chosen["dtype"])
    with FlopCounterMode(display=False) as counter:
        plain(x)
    assert CONV1D.macs(layer, (x,), {}, None) == {"": counter.get_total_flops() // 2}
    found, expected = outcome(layer, x), outcome(plain, x)
    # Vectors of a few numbers may be alike by chance; densely the layer is PyTorch's whatever they are.
    if layer.reuse.counts.hit:
        layer.reuse.on = False
        found = outcome(layer, x)
    agree(found, expected)


@settings(max_examples=40, deadline=None)
@given(options(), st.sampled_from(["channel", "patch"]), st.sampled_from(["exact", "signature"]))
def test_as_images_of_one_row(chosen: dict[str, Any], granularity: Any, backward: Any) -> None:
    """With few bits, so that much is shared: the definition of MERCURY's convolution, by another layer."""
    config = Alike(bits=4, magnitude=None, granularity=granularity, backward=backward)
    layer, _ = both(chosen, config)
    wide = {"kernel_size": (1, chosen["kernel_size"]), "stride": (1, chosen["stride"])}
    wide["dilation"] = (1, chosen["dilation"])
    if not isinstance(chosen["padding"], str):
        wide["padding"] = (0, chosen["padding"])
    image = ReuseConv2d(**{**chosen, **wide}, reuse=config)
    with torch.no_grad():
        image.weight.copy_(layer.weight[:, :, None])
        if layer.bias is not None:
            image.bias.copy_(layer.bias)
    x = signals(2, chosen["in_channels"], 41, dtype=chosen["dtype"])
    found, expected = outcome(layer, x), outcome(image, x[:, :, None])
    agree(found, [one.view_as(other) for one, other in zip(expected, found, strict=True)])
    assert layer.reuse.counts == image.reuse.counts
    assert layer.reuse.gradient_counts == image.reuse.gradient_counts
    if chosen["out_channels"] > 1 and layer.reuse.counts.vectors > 100:
        assert layer.reuse.counts.hit > 0


def test_by_definition() -> None:
    layer, _ = both({"in_channels": 2, "out_channels": 3, "kernel_size": 3, "stride": 2, "dilation": 2})
    layer.double()
    x = signals(2, 2, 12, dtype=torch.float64)
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    expected = [
        [
            [
                bias[m]
                + math.fsum(weight[m][c][k] * signal[c][2 * q + 2 * k] for c in (0, 1) for k in range(3))
                for q in range(4)
            ]
            for m in range(3)
        ]
        for signal in x.tolist()
    ]
    torch.testing.assert_close(layer(x), torch.tensor(expected, dtype=torch.float64))


def test_gradients_of_what_was_computed() -> None:
    layer, _ = both({"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1})
    layer.double()
    x = signals(2, 2, 7, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("shape", [(0, 4, 9), (2, 4, 9)])
def test_half_precision_and_empty_batches(shape: tuple[int, ...]) -> None:
    layer, plain = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1})
    agree(outcome(layer, signals(*shape)), outcome(plain, signals(*shape)))
    layer, plain = layer.bfloat16(), plain.bfloat16()
    x = signals(*shape).bfloat16()
    agree(outcome(layer, x), outcome(plain, x), 0.1)


def test_signals_whose_channels_lie_side_by_side() -> None:
    layer, plain = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1})
    x = signals(2, 9, 4).transpose(1, 2)
    agree(outcome(layer, x), outcome(plain, x))


@pytest.mark.parametrize("shape", [(2, 3, 9), (3,), (2, 4, 1, 9), (2, 2, 4, 9)])
def test_wrong_inputs_get_a_sentence(shape: tuple[int, ...]) -> None:
    layer, _ = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3})
    sentence = f"input of layer '' was {shape}, but must be (signals, 4, length) or one such signal"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        layer(torch.randn(shape))


def test_a_signal_shorter_than_the_kernel() -> None:
    layer, _ = both({"in_channels": 4, "out_channels": 6, "kernel_size": 5, "padding": 1})
    with pytest.raises(ValueError, match=r"^input of layer '' was .*must be at least 1 x 5, the size of"):
        layer(torch.randn(2, 4, 2))


def test_a_granularity_that_divides_no_channels_names_the_layer() -> None:
    with pytest.raises(ValueError, match=re.escape("Conv1d(4, 6, kernel_size=(3,))")):
        ReuseConv1d(4, 6, 3, reuse=Alike(granularity=3))
    with pytest.raises(ValueError, match=re.escape("Conv1d(4, 6, kernel_size=(3,))")):
        reuse_(nn.Sequential(nn.Conv1d(4, 6, 3)), Alike(granularity=3))
