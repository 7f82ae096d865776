"""Does the compiled product equal the reference, forward and backward, on every shape?"""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.reuse import ReuseConfig, ReuseConv2d, ReuseLinear
from mercuric.reuse.alike import convolution, linear
from mercuric.reuse.alike.kernels import cpu
from mercuric.reuse.alike.kernels.reference import reference_product
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.kinds.conv2d import CONV2D
from mercuric.reuse.vectors import group_channels
from mercuric.reuse.windows import conv_windows

DTYPES = st.sampled_from([torch.float32, torch.float64])
SCRATCH = st.sampled_from([1000, 3000, 1 << 22])


@dataclass(frozen=True)
class Layer:
    """A convolution and the images it gets."""

    options: dict[str, Any]
    images: int
    sides: tuple[int, int]
    granularity: int | str
    dtype: torch.dtype

    def conv(self) -> ReuseConv2d:
        config = ReuseConfig(bits=5, magnitude=None, granularity=self.granularity, entries=16, ways=4)
        return ReuseConv2d(**self.options, reuse=config).to(self.dtype)

    def input(self, generator: torch.Generator) -> Tensor:
        shape = (self.images, self.options["in_channels"], *self.sides)
        return torch.randn(shape, generator=generator, dtype=self.dtype)


@st.composite
def conv_layers(draw: st.DrawFn) -> Layer:
    groups, span, filters = draw(
        st.sampled_from([(1, 1, 1), (1, 4, 3), (2, 2, 3), (4, 1, 1), (3, 1, 2), (2, 4, 1)])
    )
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (3, 3), (1, 3), (5, 2)]))
    stride, dilation = draw(st.sampled_from([1, 2, (1, 2)])), draw(st.sampled_from([1, 2]))
    padding = draw(st.sampled_from([0, 1, (0, 2), "same", "valid"]))
    assume(padding != "same" or stride == 1)
    options = {
        "in_channels": groups * span,
        "out_channels": groups * filters,
        "kernel_size": kernel,
        "stride": stride,
        "dilation": dilation,
        "groups": groups,
        "padding": padding,
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        "bias": draw(st.booleans()),
    }
    sides = draw(st.sampled_from([(9, 9), (10, 41), (9, 12)]))
    granularity = draw(st.sampled_from(["channel", "patch", *[g for g in (1, 2) if span % g == 0]]))
    return Layer(options, draw(st.integers(1, 3)), sides, granularity, draw(DTYPES))


def random_sources(groups: int, count: int, alike: int, generator: torch.Generator) -> Tensor:
    """Each window's first of the same of ``alike`` labels: a Hitmap's representatives."""
    rows = []
    for labels in torch.randint(0, alike, (groups, count), generator=generator).tolist():
        rows.append([labels.index(label) for label in labels])
    return torch.tensor(rows)


def agree(found: Tensor, expected: Tensor) -> None:
    tolerance = 1e-10 if expected.dtype == torch.float64 else 2e-4
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@settings(max_examples=100, deadline=None)
@given(conv_layers(), st.sampled_from([1, 3, 1000]), SCRATCH, st.integers(0, 99))
@example(
    Layer({"in_channels": 2, "out_channels": 3, "kernel_size": 3, "bias": True}, 1, (4, 7), 1, torch.float32),
    3,
    1,
    0,
)
@example(
    Layer({"in_channels": 2, "out_channels": 3, "kernel_size": 3, "bias": True}, 2, (4, 7), 2, torch.float32),
    1000,
    40,
    0,
)
def test_products_and_their_three_gradients(layer: Layer, alike: int, scratch: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    conv = layer.conv()
    padded = layer.input(generator)
    geometry = CONV2D.geometry(conv)
    windows = conv_windows(padded, geometry)
    groups = padded.shape[1] // group_channels(layer.granularity, geometry)
    source = random_sources(groups, len(windows.starts), alike, generator)
    shape = (conv.groups, conv.out_channels // conv.groups, windows.length // conv.groups)
    weight = torch.randn(shape, generator=generator, dtype=layer.dtype)
    bias = torch.randn(conv.out_channels, generator=generator, dtype=layer.dtype)
    arguments = [padded, weight, bias] if layer.options["bias"] else [padded, weight]
    for argument in arguments:
        argument.requires_grad_()
    used = bias if layer.options["bias"] else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "SCRATCH_ELEMENTS", scratch)
        found = reuse_product(padded, weight, used, source, windows)
        assert type(found.grad_fn).__name__ == "_ProductBackward"
        upstream = torch.randn(found.shape, generator=generator, dtype=layer.dtype)
        found_gradients = torch.autograd.grad(found, arguments, upstream)
    expected = reference_product(padded, weight, used, source, windows)
    agree(found, expected)
    for gradient, other in zip(
        found_gradients, torch.autograd.grad(expected, arguments, upstream), strict=True
    ):
        agree(gradient, other)


def by_definition(*operands: object, to_input: bool) -> Tensor:
    assert to_input  # gradients are exact here
    return reference_product(*operands)


def both_ways(layer: ReuseConv2d | ReuseLinear, inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Output and gradients with the compiled product, and with the reference."""
    outcomes = []
    for product in (reuse_product, by_definition):
        with pytest.MonkeyPatch.context() as patch:
            for module in (convolution, linear):
                patch.setattr(module, "reuse_product", product)
            tracked = inputs.clone().requires_grad_()
            output = layer(tracked)
            upstream = torch.linspace(-1, 2, output.numel(), dtype=output.dtype).view(output.shape)
            gradients = torch.autograd.grad(output, [tracked, *layer.parameters()], upstream)
        outcomes.append([output, *gradients])
    return outcomes[0], outcomes[1]


@settings(max_examples=100, deadline=None)
@given(conv_layers(), st.integers(0, 99))
@example(
    Layer({"in_channels": 1, "out_channels": 1, "kernel_size": 1}, 1, (1, 1), "channel", torch.float32), 0
)
@example(
    Layer({"in_channels": 3, "out_channels": 2, "kernel_size": 3}, 1, (3, 41), "patch", torch.float32), 0
)
def test_convolution_layers(layer: Layer, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    conv = layer.conv()
    found, expected = both_ways(conv, layer.input(generator))
    if conv.reuse.counts.vectors > 200:
        assert conv.reuse.counts.hit  # five bits: there was something to reuse
    for tensor, other in zip(found, expected, strict=True):
        agree(tensor, other)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9), max_size=3), st.integers(1, 41), st.integers(1, 5), st.booleans(), DTYPES,
    SCRATCH, st.sampled_from(["image", "batch"]),
)  # fmt: skip
def test_fully_connected_layers(
    batch: list[int], features: int, outputs: int, bias: bool, dtype: torch.dtype, scratch: int, scope: Any
) -> None:
    config = ReuseConfig(bits=3, scope=scope)
    layer = ReuseLinear(features, outputs, bias=bias, reuse=config).to(dtype)
    inputs = torch.randn(*batch, features, generator=torch.Generator().manual_seed(0), dtype=dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "SCRATCH_ELEMENTS", scratch)
        for tensor, other in zip(*both_ways(layer, inputs), strict=True):
            agree(tensor, other)


@pytest.mark.parametrize("threads", [1, 6])
@pytest.mark.parametrize("granularity", ["channel", "patch"])
def test_threads_share_windows_and_channels_out(
    threads: int, granularity: str, photographs: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    conv = ReuseConv2d(3, 4, 3, reuse=ReuseConfig(bits=8, granularity=granularity))
    for tensor, other in zip(*both_ways(conv, photographs[:2]), strict=True):
        torch.testing.assert_close(tensor, other, rtol=1e-3, atol=1e-3)


def test_half_precision_is_summed_in_single() -> None:
    conv = ReuseConv2d(3, 4, 3, reuse=ReuseConfig(bits=4)).bfloat16()
    inputs = torch.randn(2, 3, 8, 8, dtype=torch.bfloat16, requires_grad=True)
    output = conv(inputs)
    output.sum().backward()
    assert output.dtype == inputs.grad.dtype == conv.weight.grad.dtype == torch.bfloat16
    assert conv.reuse.counts.hit > 0


@pytest.mark.parametrize("granularity", ["channel", "patch"])
def test_autocast(granularity: str, photographs: Tensor) -> None:
    conv = ReuseConv2d(3, 4, 3, reuse=ReuseConfig(bits=20, granularity=granularity))
    with torch.no_grad():
        rounded = ReuseConv2d(3, 4, 3, reuse=conv.reuse.config)
        rounded.load_state_dict({name: p.bfloat16().float() for name, p in conv.state_dict().items()})
        expected = rounded(photographs.bfloat16().float()).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inputs = photographs.clone().requires_grad_()
        output = conv(inputs)
        output.sum().backward()
        half = conv(photographs.bfloat16())
    assert torch.equal(output, expected)
    assert inputs.grad.dtype == conv.weight.grad.dtype == torch.float32
    assert (half - expected).abs().mean() < 0.1 * expected.abs().mean()


def test_only_the_gradients_asked_for(photographs: Tensor) -> None:
    conv = ReuseConv2d(3, 4, 3)
    inputs = photographs.clone().requires_grad_()
    expected = torch.autograd.grad(conv(inputs).square().sum(), [inputs, *conv.parameters()])
    tracked = [inputs, *conv.parameters()]
    for missing in range(3):
        for index, tensor in enumerate(tracked):
            tensor.grad = None
            tensor.requires_grad_(index != missing)
        conv(inputs).square().sum().backward()
        for index, tensor in enumerate(tracked):
            assert (tensor.grad is None) == (index == missing)
            assert tensor.grad is None or torch.equal(tensor.grad, expected[index])
