"""Does a copy of a model with reuse stand on its own?"""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass
from torch import nn

from mercuric import AdaptationConfig, ReuseConfig, restore_, reuse_
from mercuric.reuse import Cost, Observation
from mercuric.reuse.swap import is_reuse_layer


def through_a_file(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


COPIES: list[Callable[[nn.Module], nn.Module]] = [
    copy.deepcopy,
    lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301 - its own
    through_a_file,
]


def vectors(model: nn.Module) -> dict[str, int]:
    return {
        module.reuse.name: module.reuse.counts.vectors for module in model.modules() if is_reuse_layer(module)
    }


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle", "file"])
def test_a_copy_counts_for_itself(name: str, backward: str, copied: Callable[[nn.Module], nn.Module]) -> None:
    model = build(name)
    adaptation = AdaptationConfig(patience=1, stoppage=1, max_bits=128)
    handle = reuse_(model, config(backward, bits=100, adaptation=adaptation), cost=lambda _: Cost(1, 2))
    seen: list[Observation] = []
    handle.observe(seen.append)
    off = next(iter(handle.layers))
    handle.switch_off(off)
    training_pass(model)
    before, heard = vectors(model), len(seen)
    other = copied(model)
    assert [type(module) for module in other.modules()] == [type(module) for module in model.modules()]
    assert vectors(other) == before
    handle.reset()
    expected = training_pass(model)
    handle.reset()
    heard = len(seen)
    found = training_pass(other)
    assert distance(found, expected) == 0
    assert len(seen) == heard
    assert set(vectors(model).values()) == {0}
    assert vectors(other) == {layer: 2 * count for layer, count in before.items()}
    assert not next(filter(is_reuse_layer, other.modules())).reuse.on
    restore_(other)
    assert [type(module) for module in other.modules()] == [type(module) for module in build(name).modules()]
    assert vectors(model) == dict.fromkeys(before, 0)


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle", "file"])
def test_a_copy_is_not_timed(copied: Callable[[nn.Module], nn.Module]) -> None:
    model = build("cnn")
    handle = reuse_(model, ReuseConfig.paper(), cost="milliseconds")
    other = copied(model)
    training_pass(other)
    assert handle._judging._stopwatch is not None
    assert not handle._judging._stopwatch._passes
    training_pass(model)
    assert handle._judging._stopwatch._passes


def test_weights_travel_between_models_with_reuse_and_without(name: str) -> None:
    plain, model = build(name), build(name)
    reuse_(model, config("exact"))
    assert list(model.state_dict()) == list(plain.state_dict())
    for given, taken in ((plain, model), (model, plain)):
        with torch.no_grad():
            for value in given.parameters():
                value.add_(1)
        file = io.BytesIO()
        torch.save(given.state_dict(), file)
        file.seek(0)
        taken.load_state_dict(torch.load(file, weights_only=True), strict=True)
        assert all(torch.equal(a, b) for a, b in zip(given.parameters(), taken.parameters(), strict=True))
    kinds = {key: type(module) for key, module in build(name).named_modules()}
    restore_(model)
    assert {key: type(module) for key, module in model.named_modules()} == kinds


def test_an_average_of_weights(backward: str) -> None:
    model = build("cnn")
    handle = reuse_(model, config(backward))
    averaged = torch.optim.swa_utils.AveragedModel(model, use_buffers=True)
    training_pass(model)
    averaged.update_parameters(model)
    handle.reset()
    averaged.eval()(batch()[0])
    assert handle.report()["vectors"].sum() == 0
