"""Do copies of a model with exact reuse, and what is restored, work by themselves?"""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from plain_twin import Twins, close, images, step
from torch import nn

import mercuric


def deep_copy(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model)


def pickled(model: nn.Module) -> nn.Module:
    result: nn.Module = pickle.loads(pickle.dumps(model))  # noqa: S301 - its own
    return result


def saved(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    result: nn.Module = torch.load(file, weights_only=False)
    return result


@pytest.mark.parametrize("copied", [deep_copy, pickled, saved])
def test_copies_look_for_themselves(copied: Callable[[nn.Module], nn.Module]) -> None:
    twins = Twins()
    twins.step_alike()
    other = copied(twins.reused)
    before = twins.handle.report()
    shifted = images().roll(3, 2)
    own, plain = step(other, shifted), step(copy.deepcopy(twins.plain), shifted)
    close(own, plain)
    assert twins.handle.report().equals(before)
    assert other[0]._mercuric.computes == "classes"
    assert other[0]._mercuric.look is not twins.reused[0]._mercuric.look


def test_state_dicts_are_those_of_the_plain_model() -> None:
    twins = Twins()
    assert twins.reused.state_dict().keys() == twins.plain.state_dict().keys()
    twins.reused.load_state_dict({name: value + 1 for name, value in twins.plain.state_dict().items()})
    twins.plain.load_state_dict({name: value + 1 for name, value in twins.plain.state_dict().items()})
    twins.step_alike()


def test_restored_models_have_nothing_left() -> None:
    twins = Twins()
    twins.step_alike()
    mercuric.restore_(twins.reused)
    for restored, plain in zip(twins.reused.modules(), twins.plain.modules(), strict=True):
        assert type(restored) is type(plain)
        assert restored.__dict__.keys() == plain.__dict__.keys()
        assert not any(value for name, value in vars(restored).items() if name.endswith("hooks"))
    twins.step_alike()
