"""Wrong arguments of ``mercuric.simulate``: one sentence each."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import mercuric
from mercuric import ReuseConfig

IMAGES = torch.zeros(1, 3, 8, 8)


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (IMAGES.numpy(), "inputs was a ndarray, but must be a torch.Tensor, .* .torch.from_numpy makes"),
        (np.float32(1), "inputs was a float32, but must be a torch.Tensor"),
        ((IMAGES.numpy(),), "inputs held a ndarray, but must hold torch.Tensors"),
        ({"input": IMAGES.numpy()}, "inputs held a ndarray, but must hold torch.Tensors"),
        (None, "inputs was None, but must be a torch.Tensor"),
        ("photos", "inputs was 'photos', but must be a torch.Tensor"),
        (3, "inputs was 3, but must be a torch.Tensor"),
        ((), "inputs held no torch.Tensor, but must hold at least one"),
        ({}, "inputs held no torch.Tensor, but must hold at least one"),
        ([1, 2], "inputs held no torch.Tensor, but must hold at least one"),
        (IMAGES[:, :2], r"inputs was float32 of \(1, 2, 8, 8\), but must be what the network reads: Given"),
        (IMAGES[0, 0], r"inputs was float32 of \(8, 8\), but must be what the network reads: "),
        (IMAGES.long(), r"inputs was int64 of \(1, 3, 8, 8\), but must be what the network reads: "),
        ((IMAGES, IMAGES), "but must be what the network reads: "),
        ({"x": IMAGES}, "but must be what the network reads: "),
        (IMAGES[:0], r"inputs was of shape \(0, 3, 8, 8\), but must hold at least one example"),
    ],
)
def test_inputs(inputs: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        mercuric.simulate(network(), inputs)


@pytest.mark.parametrize(
    ("accelerator", "sentence"),
    [
        ({"rows": 12}, r"accelerator was dict, but must be .*: Accelerator\(\*\*fields\) makes one"),
        (None, "accelerator was NoneType, but must be the name of a preset, an Accelerator or its YAML file"),
        (168, "accelerator was int, but must be"),
        (mercuric.Accelerator, "accelerator was Accelerator, but must be"),
        (object(), "accelerator was object, but must be"),
    ],
)
def test_accelerators(accelerator: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        mercuric.simulate(network(), IMAGES, accelerator)


@pytest.mark.parametrize("model", [nn.Conv2d, "vgg13", lambda x: x, None, {"model": 1}])
def test_models(model: Any) -> None:
    with pytest.raises(ValueError, match=r"model was .*, but must be an nn\.Module"):
        mercuric.simulate(model, IMAGES)


@pytest.mark.parametrize("config", [{"bits": 20}, "papr", 20, ReuseConfig, ReuseConfig.paper])
def test_configurations(config: Any) -> None:
    with pytest.raises(ValueError, match=r"config was .*, but must be a ReuseConfig"):
        mercuric.simulate(network(), IMAGES, config=config)


def test_arguments_in_a_list_or_by_name_run() -> None:
    for inputs in (IMAGES, (IMAGES,), [IMAGES], {"input": IMAGES}):
        assert mercuric.simulate(network(), inputs).cycles().baseline > 0
