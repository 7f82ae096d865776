"""Is the gradient that of the forward pass that was really computed?"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.func import functional_call

from mercuric.reuse import ReuseConfig, ReuseConv2d, ReuseLinear
from mercuric.reuse.alike import convolution, linear
from mercuric.reuse.alike.detection import Detection
from mercuric.reuse.alike.kernels import cpu
from mercuric.reuse.alike.kernels.reference import reference_product
from mercuric.reuse.alike.product import reuse_product
from mercuric.reuse.windows import conv_windows


def double(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize(
    ("product", "scratch"), [(reuse_product, 20), (reuse_product, 1 << 22), (reference_product, 1)]
)
@pytest.mark.parametrize(("conv_groups", "channel_groups"), [(1, 4), (1, 2), (1, 1), (2, 2), (2, 4)])
def test_products(
    product: Any, scratch: int, conv_groups: int, channel_groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "SCRATCH_ELEMENTS", scratch)
    conv = nn.Conv2d(4, 6, (2, 3), stride=(1, 2), dilation=(2, 1), groups=conv_groups)
    padded = double(2, 4, 4, 5)
    windows = conv_windows(padded.detach(), conv)
    source = torch.tensor([[0, 1, 0, 3, 1, 3, 6, 0], [0, 0, 2, 2, 4, 0, 2, 7]]).repeat(2, 1)[:channel_groups]
    weight = double(conv_groups, 6 // conv_groups, 4 // conv_groups * 6, seed=1)
    assert gradcheck(
        lambda p, w, b: product(p, w, b, source, windows), (padded, weight, double(6, seed=2)), fast_mode=True
    )
    assert gradcheck(lambda p, w: product(p, w, None, source, windows), (padded, weight))


def hold_assignments(monkeypatch: pytest.MonkeyPatch) -> list[Detection]:
    """Detect similarity on the first pass, and take the same assignment on every later one."""
    held: list[Detection] = []
    detect = convolution.detect

    def held_detect(*arguments: Any) -> Detection:
        if not held:
            held.append(detect(*arguments))
        return held[0]

    for module in (convolution, linear):
        monkeypatch.setattr(module, "detect", held_detect)
    return held


def check_layer(layer: nn.Module, inputs: Tensor, held: list[Detection]) -> None:
    names = [name for name, _ in layer.named_parameters()]
    values = tuple(value.detach().clone().requires_grad_() for value in layer.parameters())

    def forward(inputs: Tensor, *values: Tensor) -> Tensor:
        output: Tensor = functional_call(layer, dict(zip(names, values, strict=True)), (inputs,))
        return output

    assert gradcheck(forward, (inputs, *values))
    assert 0 < held[0].hitmap.hits.double().mean() < 1


@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize("granularity", ["channel", "patch", 2])
@pytest.mark.parametrize("options", [{"padding": 1}, {"groups": 2, "padding": 1, "padding_mode": "circular"}])
def test_convolutions(
    scope: Any, granularity: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ReuseConfig(bits=3, granularity=granularity, scope=scope)
    conv = ReuseConv2d(4, 2, 3, **options, reuse=config).double()
    check_layer(conv, double(2, 4, 3, 4), hold_assignments(monkeypatch))


@pytest.mark.parametrize("shape", [(7, 3), (2, 5, 3)])
def test_fully_connected_layers(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    layer = ReuseLinear(3, 4, reuse=ReuseConfig(bits=2, magnitude=None)).double()
    check_layer(layer, double(*shape), hold_assignments(monkeypatch))


def test_an_image_that_is_not_unique_gives_its_gradient_to_its_representative() -> None:
    """Two equal images in one scope: the first is read for both, the second gets no gradient."""
    conv = ReuseConv2d(2, 3, 3, bias=False, reuse=ReuseConfig(scope="batch", entries=None)).double()
    image = double(1, 2, 6, 6).detach()
    inputs = image.repeat(2, 1, 1, 1).requires_grad_()
    conv(inputs).sum().backward()
    alone = image.clone().requires_grad_()
    nn.functional.conv2d(alone, conv.weight.detach()).sum().backward()
    assert inputs.grad is not None
    assert alone.grad is not None
    assert not inputs.grad[1].any()
    torch.testing.assert_close(inputs.grad[0], 2 * alone.grad[0])
