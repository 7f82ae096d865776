"""Does a layer's output lie in memory as the dense layer's would?"""

import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass
from torch import Tensor, nn

from mercuric import reuse_

LAST = torch.channels_last


@pytest.mark.parametrize("name", ["cnn", "bent"])
def test_a_network_with_channels_last(name: str, backward: str) -> None:
    plain, other = build(name), build(name).to(memory_format=LAST)
    reuse_(plain, config(backward))
    reuse_(other, config(backward))
    expected = training_pass(plain)
    found = training_pass(other, batch()[0].to(memory_format=LAST))
    assert distance(found, expected) < 5e-3
    assert next(other.parameters()).is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("given", ["contiguous", "channels_last", "every second row", "transposed"])
def test_one_layer(given: str, kernel: int, backward: str) -> None:
    layer = nn.Conv2d(3, 5, kernel, padding=kernel // 2)
    images = batch()[0]
    images = {
        "contiguous": images,
        "channels_last": images.to(memory_format=LAST),
        "every second row": images[:, :, ::2],
        "transposed": images.transpose(2, 3),
    }[given]
    images = images.detach().requires_grad_()
    dense = layer(images)
    model = nn.Sequential(layer)
    reuse_(model, config(backward))
    output: Tensor = model(images)
    assert output.stride() == dense.stride()
    output.square().sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()
