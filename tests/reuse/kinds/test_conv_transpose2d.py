"""Does ``ReuseConvTranspose2d`` add up what ``nn.ConvTranspose2d`` does, and share alike pixels' products?"""

import re
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import Alike, ReuseConv2d, ReuseConvTranspose2d
from mercuric.reuse.kinds.conv_transpose2d import CONV_TRANSPOSE2D

EXACT = Alike(bits=128)
"""So many bits that only equal vectors are alike."""


def images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def outcome(layer: nn.Module, x: Tensor, *more: Any) -> list[Tensor]:
    """Output and gradients."""
    tracked = x.clone(memory_format=torch.preserve_format).requires_grad_()
    output = layer(tracked, *more)
    upstream = torch.linspace(-1, 2, output.numel(), dtype=torch.float64).sin().to(output.dtype)
    gradients = torch.autograd.grad(output, [tracked, *layer.parameters()], upstream.view(output.shape))
    return [output, *gradients]


def agree(found: list[Tensor], expected: list[Tensor], tolerance: float | None = None) -> None:
    for one, other in zip(found, expected, strict=True):
        near = tolerance or (1e-10 if other.dtype == torch.float64 else 1e-4)
        torch.testing.assert_close(one, other, rtol=near, atol=near)


def both(options: dict[str, Any], config: Alike = EXACT) -> tuple[ReuseConvTranspose2d, nn.ConvTranspose2d]:
    torch.manual_seed(0)
    plain = nn.ConvTranspose2d(**options)
    layer = ReuseConvTranspose2d(**options, reuse=config)
    layer.load_state_dict(plain.state_dict())
    return layer, plain


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    groups, span, filters = draw(st.sampled_from([(1, 3, 1), (1, 4, 3), (2, 3, 2), (3, 4, 1)]))
    pairs = st.sampled_from([1, 2, 3, (1, 2), (3, 1)])
    stride, dilation = draw(pairs), draw(st.sampled_from([1, 2, (1, 3)]))
    more = draw(st.sampled_from([0, 1, 2, (1, 0), (0, 2)]))
    # PyTorch's rule: less than the stride or the dilation, along each dimension.
    largest = [max(sides) for sides in zip(_pair(stride), _pair(dilation), strict=True)]
    assume(all(one < most for one, most in zip(_pair(more), largest, strict=True)))
    return {
        "in_channels": groups * span,
        "out_channels": groups * filters,
        "kernel_size": draw(st.sampled_from([1, 2, 3, 4, (1, 3), (5, 2)])),
        "stride": stride,
        "padding": draw(st.sampled_from([0, 1, (0, 2)])),
        "output_padding": more,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
        "dtype": draw(st.sampled_from([torch.float32, torch.float64])),
    }


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


@settings(max_examples=100, deadline=None)
@given(
    options(), st.sampled_from([(4, 5), (3, 3), (6, 4)]), st.sampled_from([None, 1, 3]),
    st.sampled_from(["channel", "patch", 2]), st.sampled_from(["image", "batch"]),
)  # fmt: skip
def test_as_pytorch(
    chosen: dict[str, Any], sides: tuple[int, int], batch: int | None, granularity: Any, scope: Any
) -> None:
    layer, plain = both(chosen, Alike(bits=128, granularity=granularity, scope=scope))
    x = images(*([] if batch is None else [batch]), chosen["in_channels"], *sides, dtype=chosen["dtype"])
    try:
        with FlopCounterMode(display=False) as counter:
            left = plain(x)
    except RuntimeError:  # padding took all of it, which PyTorch refuses in some types alone
        assume(False)
    assume(left.numel())
    found, expected = outcome(layer, x), outcome(plain, x)
    # Pixels of a few channels may be alike by chance; densely the layer is PyTorch's whatever they are.
    if layer.reuse.counts.hit:
        layer.reuse.on = False
        found = outcome(layer, x)
    assert CONV_TRANSPOSE2D.macs(layer, (x,), {}, None) == {"": counter.get_total_flops() // 2}
    agree(found, expected)


@settings(max_examples=30, deadline=None)
@given(options())
def test_shared_pixels_by_definition(chosen: dict[str, Any]) -> None:
    """The products of a 1x1 convolution, which tests of their own define, are added up here."""
    config = Alike(bits=2, magnitude=None)
    layer, plain = both({**chosen, "dtype": torch.float64}, config)
    groups, rows, columns = chosen["groups"], *layer.kernel_size
    filters = layer.out_channels * rows * columns
    pixels = ReuseConv2d(layer.in_channels, filters, 1, groups=groups, bias=False, reuse=config).double()
    with torch.no_grad():
        by_group = layer.weight.unflatten(0, (groups, -1)).movedim(1, -1)
        pixels.weight.copy_(by_group.reshape(filters, -1, 1, 1))
    x = images(2, layer.in_channels, 3, 4, dtype=torch.float64)
    products = pixels(x).unflatten(1, (layer.out_channels, rows, columns))
    try:
        expected = torch.zeros_like(plain(x))
    except RuntimeError:
        assume(False)
    for i, j, a, b in product(range(3), range(4), range(rows), range(columns)):
        y = i * layer.stride[0] + a * layer.dilation[0] - layer.padding[0]
        z = j * layer.stride[1] + b * layer.dilation[1] - layer.padding[1]
        if 0 <= y < expected.shape[2] and 0 <= z < expected.shape[3]:
            expected[:, :, y, z] += products[:, :, a, b, i, j]
    if layer.bias is not None:
        expected += layer.bias[:, None, None]
    torch.testing.assert_close(layer(x), expected)
    assert layer.reuse.counts == pixels.reuse.counts and layer.reuse.counts.hit > 0


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("size", [(7, 9), (8, 10)])
def test_output_size(batch: int | None, size: tuple[int, int]) -> None:
    layer, plain = both({"in_channels": 3, "out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1})
    x = images(*([] if batch is None else [batch]), 3, 4, 5)
    agree(outcome(layer, x, size), outcome(plain, x, size))
    assert torch.equal(layer(x, output_size=size), layer(x, size))
    assert torch.equal(layer(input=x, output_size=size), layer(x, size))
    for model in (layer, plain):
        with pytest.raises(ValueError, match="requested an output size of"):
            model(x, (20, 20))


def test_gradients_of_what_was_computed() -> None:
    layer, _ = both({"in_channels": 3, "out_channels": 2, "kernel_size": 3, "stride": 2, "output_padding": 1})
    layer.double()
    x = images(2, 3, 3, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("shape", [(0, 4, 5, 3), (2, 4, 5, 3)])
def test_half_precision_and_empty_batches(shape: tuple[int, ...]) -> None:
    layer, plain = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1})
    agree(outcome(layer, images(*shape)), outcome(plain, images(*shape)))
    layer, plain = layer.bfloat16(), plain.bfloat16()
    x = images(*shape).bfloat16()
    agree(outcome(layer, x), outcome(plain, x), 0.1)


def test_mixed_precision() -> None:
    layer, plain = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3})
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = layer(images(2, 4, 5, 3)), plain(images(2, 4, 5, 3))
    agree([found], [expected], 0.05)


def test_channels_last() -> None:
    layer, plain = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2})
    layer, plain = (one.to(memory_format=torch.channels_last) for one in (layer, plain))
    x = images(2, 4, 5, 3).contiguous(memory_format=torch.channels_last)
    found = outcome(layer, x)
    agree(found, outcome(plain, x))


def test_padding_that_leaves_nothing() -> None:
    layer, _ = both({"in_channels": 3, "out_channels": 2, "kernel_size": 1, "padding": 2})
    sentence = (
        "input of layer '' was (1, 3, 4, 5), but must be larger: what its padding (2, 2) leaves of the "
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}output is 0 x 1$"):
        layer(images(1, 3, 4, 5))


@pytest.mark.parametrize("shape", [(2, 3, 5, 5), (4, 5), (2, 2, 4, 5, 5)])
def test_wrong_inputs_get_a_sentence(shape: tuple[int, ...]) -> None:
    layer, _ = both({"in_channels": 4, "out_channels": 6, "kernel_size": 3})
    sentence = f"input of layer '' was {shape}, but must be (images, 4, height, width) or one such image"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        layer(torch.randn(shape))
