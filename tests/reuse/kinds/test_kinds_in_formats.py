"""Do other kinds of convolutions keep memory formats, directions and saved signatures as Conv2d does?"""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from mercuric import Directions, ReuseConfig, plain_state_dict, restore_, reuse_

OPTIMIZERS: list[Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]] = [
    lambda of: torch.optim.SGD(of, lr=0.01),
    lambda of: torch.optim.SGD(of, lr=0.01, momentum=0.9),
    lambda of: torch.optim.Adam(of, lr=0.01),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_transposed_weight_lies_in_its_directions(
    optimizer: Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer], memory_format: torch.memory_format
) -> None:
    model = nn.Sequential(nn.ConvTranspose2d(16, 16, 3, padding=1)).to(memory_format=memory_format)
    strides = model[0].weight.stride()
    handle = reuse_(model, Directions(rank=4))
    steps = optimizer(model.parameters())
    for _ in range(4):
        steps.zero_grad()
        loss = (model(torch.randn(4, 16, 8, 8)) - 1).square().mean()
        loss.backward()
        steps.step()
        handle.step(loss)
    x = torch.randn(4, 16, 8, 8)
    model.eval()
    computed = model(x)
    saved = plain_state_dict(model)
    restore_(model)
    assert torch.linalg.matrix_rank(saved["0.weight"].flatten(1).double(), tol=1e-4) == 4
    assert model[0].weight.stride() == strides
    torch.testing.assert_close(model(x), computed, atol=1e-4, rtol=1e-4)


def test_a_transposed_convolution_keeps_channels_last() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(4, 4, 3, stride=2))
    x = torch.randn(2, 4, 5, 5).to(memory_format=torch.channels_last)
    strides = model(x).stride()
    reuse_(model)
    assert model(x).stride() == strides


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(nn.Conv1d, (2, 4, 16)), (nn.Conv1d, (4, 16)), (nn.Conv2d, (2, 4, 9, 9)), (nn.Conv2d, (4, 9, 9))],
)
def test_gradient_vectors_take_the_following_layers_signatures(
    kind: type[nn.Module], shape: tuple[int, ...]
) -> None:
    """Paper III-C2: none is computed for the first layer's gradient vectors."""
    model = nn.Sequential(kind(4, 4, 3, padding=1), nn.ReLU(), kind(4, 4, 3, padding=1))
    handle = reuse_(model, ReuseConfig(bits=6, backward="signature"))
    bits: dict[tuple[str, str], int] = {}
    handle.observe(lambda seen: bits.update({(seen.layer, seen.product): seen.bits}))
    model(torch.randn(shape).requires_grad_()).sum().backward()
    assert bits["0", "input_gradient"] == 0
    assert bits["2", "input_gradient"] == 6


@pytest.mark.parametrize(("kind", "shape"), [(nn.Conv1d, (2, 4, 30)), (nn.ConvTranspose2d, (2, 4, 6, 6))])
def test_a_layer_whose_weight_is_derived_is_measured(kind: type[nn.Module], shape: tuple[int, ...]) -> None:
    model = nn.Sequential(torch.nn.utils.weight_norm(kind(4, 8, 3)))
    handle = reuse_(model, ReuseConfig(bits=4), cost="milliseconds")
    for _ in range(2):
        loss = model(torch.randn(shape)).square().mean()
        loss.backward()
        handle.step(loss)
    assert handle.layers["0"].milliseconds is not None
