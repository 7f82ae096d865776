"""Which inputs do the layers take, and what do they say of others?"""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mercuric import ReuseConfig, ReuseConv2d, ReuseLinear, reuse_

EXACT = ReuseConfig(bits=128, entries=None)


def dense(layer: nn.Conv2d) -> nn.Conv2d:
    plain = nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
        layer.dilation, layer.groups, layer.bias is not None, layer.padding_mode,
    )  # fmt: skip
    plain.load_state_dict(layer.state_dict())
    return plain


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same", "padding_mode": "reflect", "dilation": 2},
        {"padding": "same", "kernel_size": (1, 5)},
        {"padding": "valid", "stride": 3},
        {"padding": (2, 1), "padding_mode": "replicate"},
        {"padding": 2, "padding_mode": "circular", "groups": 2, "bias": False},
        {"groups": 4, "kernel_size": (5, 1)},
    ],
    ids=str,
)
def test_every_option_of_a_convolution(options: dict[str, Any]) -> None:
    """Noise and 128 bits: no two vectors are alike, so the dense layer must agree."""
    layer = ReuseConv2d(**{"in_channels": 4, "out_channels": 8, "kernel_size": 3, **options}, reuse=EXACT)
    images = noise(2, 4, 11, 13)
    torch.testing.assert_close(layer(images), dense(layer)(images))


def test_padding_that_was_set_later(photographs: Tensor) -> None:
    for backward in ("exact", "signature"):
        conv = ReuseConv2d(3, 4, 3, reuse=ReuseConfig(bits=12, backward=backward))
        conv.padding = (2, 1)
        images = photographs.clone().requires_grad_()
        output = conv(images)
        assert output.shape == (7, 4, 34, 32) == nn.Conv2d.forward(conv, images).shape
        output.sum().backward()
        assert images.grad is not None
        made = ReuseConv2d(3, 4, 3, padding=(2, 1), reuse=conv.reuse.config)
        made.load_state_dict(conv.state_dict())
        assert torch.equal(made(photographs), output)


def test_one_image_without_a_batch(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3)
    alone, counted = layer(photographs[0]), layer.reuse.counts.vectors
    assert alone.shape == (4, 30, 30)
    assert torch.equal(alone, layer(photographs[:1])[0])
    assert layer.reuse.counts.vectors == 2 * counted


def test_a_single_vector() -> None:
    linear = ReuseLinear(6, 4, reuse=EXACT)
    vector = noise(6)
    torch.testing.assert_close(linear(vector), nn.functional.linear(vector, linear.weight, linear.bias))


def test_what_follows_a_convolution_may_view_its_output(photographs: Tensor) -> None:
    conv = ReuseConv2d(3, 4, 3)
    assert conv(photographs).is_contiguous()
    assert conv(photographs).view(7, -1).shape == (7, 3600)


def test_channels_last(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3, padding=1)
    expected = layer(photographs)
    expected.square().sum().backward()
    gradient = layer.weight.grad
    other = copy.deepcopy(layer).to(memory_format=torch.channels_last)
    other.zero_grad()
    output = other(photographs.to(memory_format=torch.channels_last))
    output.square().sum().backward()
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(other.weight.grad, gradient)


def test_rows_that_are_not_contiguous(photographs: Tensor) -> None:
    linear = ReuseLinear(3, 4)
    pixels = photographs.permute(0, 2, 3, 1)
    assert torch.equal(linear(pixels), linear(pixels.contiguous()))


def test_a_copy_counts_for_itself(photographs: Tensor) -> None:
    layer = ReuseConv2d(3, 4, 3)
    other = copy.deepcopy(layer)
    other(photographs)
    assert layer.reuse.counts.vectors == 0
    assert other.reuse.counts.vectors == 7 * 3 * 900


@pytest.mark.parametrize("shape", [(2, 4, 8, 8), (4, 8, 8), (8, 8), (3,), (1, 2, 3, 8, 8)])
def test_images_that_do_not_fit(shape: tuple[int, ...]) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    reuse_(model)
    with pytest.raises(
        ValueError, match=r"^input of layer '0' was \(.*\), but must be \(images, 3,"
    ) as error:
        model(torch.ones(shape))
    assert f"was {shape}, but" in str(error.value)


@pytest.mark.parametrize("shape", [(1, 3, 2, 8), (1, 3, 8, 4), (3, 2, 8)])
def test_images_smaller_than_the_kernel(shape: tuple[int, ...]) -> None:
    layer = ReuseConv2d(3, 4, (3, 5))
    sentence = (
        r"^input of layer '' was .*, but with its padding must be at least 3 x 5, the size of the kernel$"
    )
    with pytest.raises(ValueError, match=sentence):
        layer(torch.ones(shape))
    assert ReuseConv2d(3, 4, (3, 5), padding=(1, 1))(torch.ones(1, 3, 1, 3)).shape == (1, 4, 1, 1)


def test_rows_that_do_not_fit() -> None:
    model = nn.Sequential(nn.Linear(6, 4))
    reuse_(model)
    with pytest.raises(
        ValueError, match=r"^input of layer '0' was \(2, 5\), but its last dimension must be 6$"
    ):
        model(torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"^input of layer '0' was \(\), but"):
        model(torch.tensor(1.0))
