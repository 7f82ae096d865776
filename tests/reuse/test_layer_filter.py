"""Which layers does filter_fn choose, and what of it is refused?"""

import re

import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel

from mercuric import reuse_
from mercuric.reuse.layer_filter import LayerFilter


def network() -> nn.Module:
    stages = {f"layer{n}": nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 3, 1)) for n in (1, 4)}
    return nn.ModuleDict({**stages, "head": nn.Linear(3, 2)})


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ("layer4.*", ["layer4.0", "layer4.2"]),
        ("*.0", ["layer1.0", "layer4.0"]),
        ("head", ["head"]),
        (nn.Linear, ["head"]),
        (nn.Conv2d, ["layer1.0", "layer1.2", "layer4.0", "layer4.2"]),
        (["layer1.0", nn.Linear], ["layer1.0", "head"]),
        ((lambda layer, _: isinstance(layer, nn.Linear), "layer?.2"), ["layer1.2", "layer4.2", "head"]),
        (lambda _, name: re.search(r"\.0$", name), ["layer1.0", "layer4.0"]),
        (None, ["layer1.0", "layer1.2", "layer4.0", "layer4.2", "head"]),
    ],
)
def test_forms(given: LayerFilter, chosen: list[str]) -> None:
    assert list(reuse_(network(), filter_fn=given).layers) == chosen


def test_a_glob_is_of_the_names_within_wrappers() -> None:
    compiled = torch.compile(network(), backend="eager")
    assert list(reuse_(compiled, filter_fn="layer4.*").layers) == ["_orig_mod.layer4.0", "_orig_mod.layer4.2"]
    parallel = DataParallel(network())
    assert list(reuse_(parallel, filter_fn="head").layers) == ["module.head"]


def failing(_layer: nn.Module, _name: str) -> bool:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "layer9.*",
            "filter_fn was 'layer9.*', but must match the name of a layer: layer1.0, layer1.2, ",
        ),
        (["head", "layr4"], "filter_fn was 'layr4', but must match the name of a layer"),
        ([], "filter_fn was empty, but must hold at least one"),
        (int, "filter_fn was the class int, but must be a class of nn.Module"),
        (7, "filter_fn was 7, but must be a function of a layer and its name, a glob of names, a class"),
        ({"head"}, "filter_fn was a set, but must be a function"),
        (nn.Linear(3, 2), "filter_fn was a Linear, but must be a function"),
        ([None], "filter_fn was None, but must be a function"),
        (
            failing,
            "filter_fn raised ZeroDivisionError for layer 'layer1.0' (division by zero), but",
        ),
        (lambda _: True, "filter_fn raised TypeError for layer 'layer1.0'"),
        (lambda _layer, _name: torch.ones(2), "filter_fn raised RuntimeError for layer 'layer1.0'"),
        (nn.Conv1d, "model has no convolution, linear or attention layer that filter_fn lets through"),
    ],
)
def test_what_is_refused(given: object, sentence: str) -> None:
    model = network()
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        reuse_(model, filter_fn=given)  # type: ignore[arg-type]
    assert not any(type(module).__name__.startswith("Reuse") for module in model.modules())
