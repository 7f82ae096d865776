"""Is ``ReuseConfig.fast()`` as cheap as dense where it can't win, and as exact where nothing serves?"""

import copy
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import mercuric
from mercuric import ReuseConfig, ReuseHandle, data
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.judge.measured_cost import MeasuredCost


class Operators(TorchDispatchMode):
    """Counts the operators that reach PyTorch's kernels, backward pass included."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.seen[str(operator)] += 1
        return operator(*args, **(kwargs or {}))


class Rows(nn.Module):
    """Pixels as rows of a sequence, and their mean after a fully connected layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(2).transpose(1, 2)).mean(1)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 64, 5, padding=2, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Conv2d(64, 64, 3, stride=2, padding=1, padding_mode="reflect"), nn.ReLU(), Rows(),
        nn.Linear(64, 7),
    ).to(memory_format=torch.channels_last)  # fmt: skip


LAYERS = ["0", "3", "5.layer", "6"]


@pytest.fixture(scope="module")
def photos() -> Tensor:
    images = data.load("photos").train.batch(torch.arange(16))[0]
    return images.contiguous(memory_format=torch.channels_last)


@pytest.fixture
def noise(photos: Tensor) -> Tensor:
    return torch.randn(photos.shape, generator=torch.Generator().manual_seed(0))


def step(model: nn.Module, images: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Forward and backward pass, and an optimizer's step at a learning rate of 0; gives the loss."""
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    loss = backward(model, images, precision)
    optimizer.step()
    return loss


def backward(model: nn.Module, images: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Forward and backward pass; gives the loss."""
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        loss = F.cross_entropy(model(images), torch.arange(len(images)) % 7)
    loss.backward()
    return loss.detach()


def operators(model: nn.Module, images: Tensor, precision: torch.dtype = torch.float32) -> Counter[str]:
    with Operators() as mode:
        backward(model, images, precision)
    return mode.seen


def fast(model: nn.Module, **fields: float | None) -> ReuseHandle:
    return mercuric.reuse_(model, ReuseConfig.fast(**fields))


def always(model: nn.Module, **fields: float | None) -> ReuseHandle:
    """``fast()`` without measuring."""
    return mercuric.reuse_(model, ReuseConfig.fast(**fields).model_copy(update={"keep": "always"}))


def costing(monkeypatch: pytest.MonkeyPatch, **milliseconds: tuple[float, float]) -> None:
    """Let layers, called as L0, L3, ..., cost that with directions and densely; others 2 and 1."""
    costs = {name.removeprefix("L"): Cost(*pair) for name, pair in milliseconds.items()}
    monkeypatch.setattr(MeasuredCost, "_time", lambda _self, name, _pass: costs.get(name, Cost(2.0, 1.0)))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("why", ["switched off", "no rank within the error", "no rank pays"])
def test_a_layer_that_is_dense_issues_the_operators_of_a_dense_layer(
    photos: Tensor, why: str, precision: torch.dtype
) -> None:
    model, dense = network(), network()
    fields = {"switched off": {}, "no rank within the error": {"error": 1e-6}, "no rank pays": {"rank": 64}}
    handle = fast(model, **fields[why])
    handle.time_layers({})
    step(model, photos, precision)
    if why == "switched off":
        handle.switch_off()
    expected = operators(dense, photos, precision)
    assert operators(model, photos, precision) == expected
    assert expected["aten.convolution_backward.default"] == 2


def test_layers_that_are_on_issue_others(photos: Tensor) -> None:
    model = network()
    always(model, error=None)
    step(model, photos)
    assert operators(model, photos) != operators(network(), photos)


def test_after_all_layers_went_off_a_step_is_a_dense_one(
    photos: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing(monkeypatch)
    model, dense = network(), network()
    handle = fast(model, error=None)
    for _ in LAYERS:
        handle.step(step(model, photos))
    assert sorted(change.layer for change in handle.changes) == ["0", "3", "5.layer"]
    with Operators() as mode:
        backward(model, photos)
        handle.step(0.0)
    assert mode.seen == operators(dense, photos)
    shown = handle.report().set_index("layer")["computes"]
    assert list(shown) == [*["dense: not clearly faster"] * 3, "dense: no rank pays"]


def test_white_noise_takes_more_directions_than_photographs(photos: Tensor, noise: Tensor) -> None:
    for images, rank in ((photos, 16), (noise, 32)):
        model = network()
        handle = always(model)
        step(model, images)
        row = handle.report().set_index("layer").loc["0"]
        assert (row["computes"], row["rank"]) == ("directions", rank)
        assert row["error"] <= 0.55


def test_a_layer_that_no_rank_serves_is_exact(noise: Tensor) -> None:
    model, dense = network(), network()
    handle = fast(model, error=1e-6)
    for _ in range(3):
        torch.testing.assert_close(step(model, noise), step(dense, noise))
        handle.step(0.0)
    for one, other in zip(model.parameters(), dense.parameters(), strict=True):
        assert torch.equal(one, other)
    report = handle.report()
    assert report["dense_ms"].isna().all(), "there is nothing to measure"
    assert set(report["computes"]) == {"dense: no rank within error 1e-06 pays"}


def test_a_layer_that_turned_off_never_loses_weight(photos: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    costing(monkeypatch, L0=(1.0, 2.0))
    model = network()
    before = copy.deepcopy(model)
    handle = fast(model, error=None)
    for _ in range(6):
        handle.step(step(model, photos))
    mercuric.restore_(model)
    assert torch.linalg.matrix_rank(model[0].weight.flatten(1)) == 16
    for place in (3, 6):
        assert torch.equal(model[place].weight, before[place].weight)


def test_a_layer_that_turns_on_again_gets_directions_of_its_own_time(
    photos: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    handle = fast(model, error=None)
    handle.time_layers({"0": model[0]}, every=1)
    costing(monkeypatch)
    handle.step(step(model, photos))
    part = handle.layers["0"].principal
    stale = part.candidate.basis
    with torch.no_grad():
        model[0].weight.normal_()
    costing(monkeypatch, L0=(1.0, 2.0))
    handle.step(step(model, photos))  # sees that the weight is another one
    (change,) = handle.step(step(model, photos))
    assert (change.layer, change.what) == ("0", "on")
    step(model, photos)
    assert handle.layers["0"].on and not torch.allclose(part.directions.basis, stale)
    assert part.error < 0.5


def test_directions_of_mixed_precision_are_those_of_full_precision(photos: Tensor) -> None:
    errors = []
    for precision in (torch.float32, torch.bfloat16):
        model = network()
        handle = fast(model)
        step(model, photos, precision)
        errors.append(handle.layers["0"].principal.error)
    assert errors[1] == pytest.approx(errors[0], rel=0.02)


@pytest.mark.parametrize("wrong", [0.0, 1.0, "0.5 or so"])
def test_a_wrong_limit_is_named(wrong: object) -> None:
    with pytest.raises(ValueError, match="error"):
        ReuseConfig.fast(error=wrong)
