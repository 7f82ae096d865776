"""How often is an input looked at that gained nothing?"""

from collections.abc import Callable
from itertools import count

import pytest
import torch
from torch import Tensor, nn

from mercuric import Equal, reuse_
from mercuric.reuse.equal import look
from mercuric.reuse.equal.pass_record import PassRecord
from mercuric.reuse.equal.patience import Patience
from mercuric.reuse.equal.plan import Passed
from mercuric.reuse.equal.speed import Speed, measured

UNLIKE = torch.randn(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def model_and_looks() -> tuple[nn.Module, list[bool]]:
    """A small network, and whether each of its passes was looked at."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    handle = reuse_(model, Equal())
    looks: list[bool] = []
    state = next(iter(handle.layers.values()))

    def note(_: nn.Module, __: tuple[Tensor, ...], ___: Tensor) -> None:
        looks.append(state.look.record.looked)  # type: ignore[attr-defined]

    model.register_forward_hook(note)
    return model, looks


def test_looks_that_gain_nothing_become_rare() -> None:
    patience, looks = Patience(), []
    for _ in range(260):
        record = PassRecord(looked=patience.looks)
        looks.append(record.looked)
        patience.learn(record)
    assert [place for place, looked in enumerate(looks) if looked] == [0, 2, 6, 14, 30, 62, 126, 190, 254]


def test_a_look_that_gains_makes_them_frequent_again() -> None:
    patience = Patience()
    for _ in range(30):
        patience.learn(PassRecord(looked=patience.looks))
    assert patience.looks
    record = PassRecord()
    record.goes_by_classes(None)
    patience.learn(record)
    assert patience.looks


def test_photographs_are_looked_at_rarely() -> None:
    model, looks = model_and_looks()
    for _ in range(15):
        model(UNLIKE)
    assert [place for place, looked in enumerate(looks) if looked] == [0, 2, 6, 14]


def test_passes_of_another_kind_do_not_count() -> None:
    model, looks = model_and_looks()
    for _ in range(14):
        model(UNLIKE)
    looks.clear()
    model(UNLIKE[:1])
    with torch.no_grad():
        model(UNLIKE)
    assert looks == [True, True]


def test_a_look_that_costs_more_than_layers_gain_does_not_pay() -> None:
    passed = Passed(Speed(position=3e-6, row=2e-6, table=1e-6, expansion=4e-7), positions=100, classes=25)
    record = PassRecord()
    record.goes_by_classes(passed, channels=4)
    assert record.gained == pytest.approx(100 * 2e-6 - 25 * 2e-6)
    assert record.paid
    record.expands("a function", 400)
    assert record.gained == pytest.approx(150e-6 - 400 * 1e-7)
    record.gained -= 120e-6
    assert not record.paid
    record.goes_by_classes(None)
    assert not record.paid


def followed(took: Callable[[int, bool], float], passes: int, patience: Patience | None = None) -> list[int]:
    """Which passes are looked at, where layers gain and whole passes take so long, by place and look."""
    patience, looks = patience or Patience(), []
    for place in range(passes):
        record = PassRecord(looked=patience.looks)
        record.goes_by_classes(None)
        if record.looked:
            looks.append(place)
        patience.learn(record, took(place, record.looked))
    return looks


def test_whole_passes_that_gain_are_compared_with_few_dense_ones() -> None:
    dense = set(range(140)) - set(followed(lambda _, looked: 1.0 if looked else 2.0, 140))
    assert dense == {1, 3, 5, 69, 133}


def test_whole_passes_that_lose_become_dense_though_layers_gain() -> None:
    assert followed(lambda _, looked: 2.0 if looked else 1.0, 100) == [0, 2, 4, 6, 8, 12, 20, 36, 68]


def test_whole_passes_that_gain_again_are_taken_again() -> None:
    patience = Patience()
    followed(lambda _, looked: 2.0 if looked else 1.0, 40, patience)
    followed(lambda _, looked: 0.5 if looked else 1.0, 200, patience)
    assert len(followed(lambda _, looked: 0.5 if looked else 1.0, 64, patience)) >= 62


def test_one_slow_pass_does_not_decide() -> None:
    looks = followed(lambda place, looked: 9.0 if place == 0 else 1.0 if looked else 2.0, 20)
    assert len(looks) == 17


class FailsOnce(nn.Module):
    """Fails in its second pass."""

    passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        if self.passes == 2:
            raise ValueError("failed")
        return x


def test_whole_passes_without_gradients_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float | None] = []
    monkeypatch.setattr(Patience, "learn", lambda _, __, took: seconds.append(took))
    monkeypatch.setattr(look, "_now", count().__next__)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), FailsOnce())
    reuse_(model, Equal())
    with torch.inference_mode():
        model(UNLIKE)
        with pytest.raises(ValueError, match="failed"):
            model(UNLIKE)
        model(x := UNLIKE[:1])
    model(x)
    assert seconds == [1 / UNLIKE.numel(), None, 4 / UNLIKE.numel(), None]


def test_a_pass_in_which_layers_were_measured_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float | None] = []
    monkeypatch.setattr(Patience, "learn", lambda _, __, took: seconds.append(took))
    measured.cache_clear()
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    reuse_(model, Equal())
    with torch.no_grad():
        for side in (16, 16, 32):
            model(torch.zeros(1, 3, side, side))
    assert [each is None for each in seconds] == [True, False, True]
