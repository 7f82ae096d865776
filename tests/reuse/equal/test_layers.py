"""How do the layers of a model with exact reuse switch, count, measure and save?

What they give, beside the plain model: ``test_torch_features.py``; threads and inputs: ``test_passes.py``.
"""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from plain_twin import Twins, Two, close, images, network, step
from torch import Tensor, nn

import mercuric
from mercuric.reuse import Cost


class Rows(nn.Module):
    """A fully connected layer at every position, on channels that come last."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Linear(3, 4)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.rows(x.permute(0, 2, 3, 1))
        return found


class Flat(Rows):
    """A fully connected layer on flattened images."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Linear(3 * 16 * 12, 4).double()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.rows(x.flatten(1))
        return found


class Twice(Two):
    """The same layer twice, once on what it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 3, 3, padding=1).double()
        self.b = nn.Conv2d(3, 2, 1).double()

    def forward(self, x: Tensor) -> Any:
        return self.b(self.a(self.a(x).relu()))


MEASURED: dict[str, Callable[[], nn.Module]] = {
    "convolutions": Two,
    "at every position": Rows,
    "flat": Flat,
    "twice": Twice,
    "dropped out before": network,
}


@pytest.mark.parametrize("name", MEASURED)
def test_errors_are_measured_once(name: str) -> None:
    twins = Twins(MEASURED[name])
    twins.reused(images())
    assert twins.handle.report()["error"].isna().all()
    twins.handle.measure_error()
    twins.step_alike()
    report = twins.handle.report()
    assert (report["error"] < 1e-14).all()
    for layer in twins.handle.layers.values():
        assert not layer.error_due
        layer.error = None
    twins.step_alike()
    assert twins.handle.report()["error"].isna().all()


def test_errors_are_those_of_what_layers_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    from mercuric.reuse.equal import method

    monkeypatch.setattr(method, "multiply", lambda x, matrix, offset: 1.5 * (x @ matrix.mT + offset))
    twins = Twins(Rows)
    twins.handle.measure_error()
    twins.reused(images())
    assert twins.handle.layers["rows"].error == pytest.approx(0.5)


def test_layers_that_are_off_measure_nothing() -> None:
    twins = Twins()
    twins.handle.switch_off("2.0")
    twins.handle.measure_error()
    twins.step_alike()
    errors = [layer.error for layer in twins.handle.layers.values()]
    assert errors[0] is not None and errors[1] is None


def test_layers_switch() -> None:
    twins = Twins().eval()
    with twins.handle.off():
        twins.step_alike()
        assert twins.computes[0] == "dense: it is switched off"
    twins.step_alike()
    assert twins.computes == ["classes"] * 3
    twins.handle.switch_off("0")
    twins.step_alike()
    assert twins.computes[:2] == [
        "dense: it is switched off",
        "dense: 0 before it needed plain tensors",
    ]
    twins.handle.switch_on()
    with twins.handle.switched("0", False):
        twins.step_alike()
    twins.step_alike()
    assert twins.computes == ["classes"] * 3


def test_costs_switch_what_loses_off() -> None:
    twins = Twins().eval()
    changes = twins.handle.keep_faster({"0": Cost(2.0, 1.0), "2.0": Cost(1.0, 2.0), "6": None})
    assert [change.layer for change in changes] == ["0"]
    twins.step_alike()
    assert twins.computes[0] == "dense: it is switched off"


def test_vectors_are_counted_and_reset() -> None:
    twins = Twins(Two)
    twins.step_alike()
    report = twins.handle.report().set_index("layer")
    assert (report["vectors"] == 4 * 16 * 12).all()
    assert (report["HIT"] + report["MAU"] + report["MNU"] == report["vectors"]).all()
    assert (report["HIT"] > 0).all() and (report["MNU"] == 0).all()
    assert (report["computed"] == report["MAU"] / report["vectors"]).all()
    twins.handle.reset()
    assert (twins.handle.report()["vectors"] == 0).all()
    assert math.isnan(twins.handle.report()["computed"][0])


def test_states_of_handles_go_through_json() -> None:
    twins, other = Twins(), Twins()
    twins.handle.switch_off("2.0")
    twins.step_alike()
    saved = json.loads(json.dumps(twins.handle.state_dict()))
    other.handle.load_state_dict(saved)
    assert other.handle.state_dict() == twins.handle.state_dict()
    other.step_alike()
    assert other.computes[1].startswith("dense: it is switched off")


def noisy() -> Tensor:
    noise = torch.rand(4, 3, 16, 12, generator=torch.Generator().manual_seed(1)).double()
    return images() + noise * 0.01


def test_levels_are_those_of_the_first_batch_and_saved() -> None:
    twins, other = Twins(levels=8).eval(), Twins(levels=8).eval()
    low, high = float(noisy().min()), float(noisy().max())
    rounded = ((noisy() - low) / (high - low) * 7).round() / 7 * (high - low) + low
    close(twins.reused(noisy()), twins.plain(rounded))
    assert twins.computes == ["classes"] * 3
    other.handle.load_state_dict(twins.handle.state_dict())
    darker = noisy() * 0.3
    close(other.reused(darker), twins.reused(darker))
    again = ((darker - low) / (high - low) * 7).round() / 7 * (high - low) + low
    close(other.reused(darker), twins.plain(again))


def test_images_share_with_none() -> None:
    twins, whole = Twins(Two, scope="image"), Twins(Two)
    same = images()[:1].repeat(4, 1, 1, 1)
    twins.step_alike(same)
    whole.step_alike(same)
    one, all_of_them = (each.handle.layers["a"].counts.mau for each in (twins, whole))
    assert one == 4 * all_of_them


def test_states_of_other_scopes_are_refused() -> None:
    with pytest.raises(ValueError, match="scope"):
        Twins(scope="image").handle.load_state_dict(Twins().handle.state_dict())


def test_layers_called_twice() -> None:
    twins = Twins(Twice)
    twins.step_alike()
    assert twins.computes == ["classes"] * 2
    assert twins.handle.layers["a"].counts.vectors == 2 * 4 * 16 * 12


@pytest.mark.parametrize("training", [True, False])
def test_dropout_draws_the_same_numbers(training: bool) -> None:
    twins = Twins(
        lambda: nn.Sequential(Two(), nn.Dropout(0.5), nn.Dropout2d(0.5), nn.Conv2d(4, 2, 1).double())
    )
    for model in twins.both:
        model.train(training)
    twins.step_alike()
    after = [(step(model, images()), torch.rand(3))[1] for model in twins.both]
    assert torch.equal(*after)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"levels": 1}, "levels was 1, but must be greater than or equal to 2"),
        ({"levels": 65537}, "levels was 65537, but must be less than or equal to 65536"),
        ({"levels": 2.5}, "levels was 2.5, but must be a valid integer"),
        ({"levels": True}, "levels was True, but must be a valid integer"),
        ({"scope": "x"}, "scope was 'x', but must be 'image' or 'batch'"),
        ({"most": 2}, "most was 2, but must be less than or equal to 1"),
        ({"most": -0.5}, "most was -0.5, but must be greater than or equal to 0"),
        ({"most": "a"}, "most was 'a', but must be a valid number, unable to parse string as a number"),
        ({"most": math.nan}, "most was nan, but must be"),
        ({"size": 1}, "Equal has no key 'size' (it has: method, scope, levels, most)"),
        ({"method": "alike"}, "method was 'alike', but must be 'equal'"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(mercuric.ArgumentError) as caught:
        mercuric.Equal(**arguments)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
