"""Does a method that nobody has heard of work once it is registered, and nothing else is changed?"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mercuric
from mercuric import Alike, Directions, ReuseConfig
from mercuric.reuse.config import METHODS
from mercuric.reuse.judge.judge import Change, Cost, Judge
from mercuric.reuse.layer import LayerReuse, LayerState
from mercuric.reuse.method import Method, method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.products import ConvolutionCall, LayerProduct
from mercuric.saved_state import Whole
from mercuric.studies.train.config import RunConfig


class Rounded(ReuseConfig):
    """Layers read multiples of ``unit``."""

    method: Literal["rounded"] = "rounded"
    unit: float = 0.5

    def judge(self, layers: Sequence[str]) -> Judge:
        return OffOneByOne(layers)


class OffOneByOne:
    """Turns a layer off each step, the first one first."""

    by_milliseconds = False
    every = 200

    def __init__(self, layers: Sequence[str]) -> None:
        self.history: list[Change] = []
        self._left = list(layers)

    def step(self, loss: float, costs: Mapping[str, Cost | None]) -> list[Change]:  # noqa: ARG002
        changes = [Change(len(self.history) + 1, name, "off", 1, 0) for name in self._left[:1]]
        self._left = self._left[1:]
        self.history += changes
        return changes

    def state_dict(self) -> dict[str, Any]:
        return {"left": list(self._left)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._left = list(state["left"])


class RoundedState(LayerState):
    passes: Whole


@dataclass
class RoundedLayer(LayerReuse):
    State: ClassVar[type[LayerState]] = RoundedState
    passes: int = 0

    def state(self) -> dict[str, Any]:
        return {**super().state(), "passes": self.passes}

    def load(self, saved: Any, layer: nn.Module | None) -> None:
        super().load(saved, layer)
        self.passes = saved.passes

    def figures(self) -> dict[str, object]:
        return {"passes": self.passes}


class RoundedMethod(Method):
    def why_dense(self, layer: nn.Module, kind: Kind) -> str | None:  # noqa: ARG002
        return "attention is never rounded" if kind == "attention" else None

    def layer(self, name: str, config: Rounded, product: LayerProduct) -> RoundedLayer:
        return RoundedLayer(name, config, product.kind)

    def survey(
        self,
        model: nn.Module,
        layers: Mapping[nn.Module, Sequence[LayerReuse]],
        left_out: Collection[nn.Module],
    ) -> None:
        pass

    def convolve(self, call: ConvolutionCall) -> Tensor:
        images = _read(call.images, call.state)
        return call.raised(call.geometry.dense(images, call.filters, call.offsets))

    def multiply(
        self,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        state: RoundedLayer,
        training: bool,  # noqa: ARG002
    ) -> Tensor:
        return F.linear(_read(rows, state), weight, bias)


def _read(values: Tensor, state: RoundedLayer) -> Tensor:
    if not state.on:
        return values
    state.passes += 1
    unit = state.config.unit
    return (values / unit).round() * unit


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(METHODS, Rounded, RoundedMethod())
    yield


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 16, 5))


IMAGES = torch.linspace(-2, 2, 2 * 3 * 36).view(2, 3, 6, 6)


def test_its_layers_compute_are_judged_reported_saved_and_taken_off() -> None:
    model, dense = network(), network()
    handle = mercuric.reuse_(model, Rounded(unit=0.25))
    rounded = dense[0]((IMAGES / 0.25).round() * 0.25).flatten(1)
    torch.testing.assert_close(model(IMAGES), dense[2]((rounded / 0.25).round() * 0.25))

    assert [(change.layer, change.what) for change in handle.step(1.0)] == [("0", "off")]
    model(IMAGES)
    report = handle.report()
    assert report["passes"].tolist() == [1, 2]
    assert report["on"].tolist() == [False, True]
    assert report[["vectors", "bits", "HIT"]].to_numpy().sum() == 0
    assert report.attrs["covered"] == 1.0

    again = mercuric.reuse_(network(), Rounded(unit=0.25))
    again.load_state_dict(handle.state_dict())
    assert again.report().equals(report)
    assert [change.layer for change in again.step(1.0)] == ["2"]
    with pytest.raises(ValueError, match=r"unit was 0.25, but must be 0.5$"):
        mercuric.reuse_(network(), Rounded()).load_state_dict(handle.state_dict())
    with pytest.raises(ValueError, match=r"with reuse: method was rounded, but must be alike$"):
        mercuric.reuse_(network(), Alike()).load_state_dict(handle.state_dict())

    mercuric.restore_(model)
    assert [type(layer) for layer in model] == [nn.Conv2d, nn.Flatten, nn.Linear]
    torch.testing.assert_close(model(IMAGES), dense(IMAGES))


def test_it_says_which_layers_stay_dense() -> None:
    model = nn.ModuleList([nn.Linear(4, 4), nn.MultiheadAttention(4, 2)])
    handle = mercuric.reuse_(model, Rounded())
    assert list(handle.layers) == ["0"]
    assert handle.coverage.dense == {"1": "attention is never rounded"}


def test_its_configuration_is_read_where_any_method_s_is() -> None:
    config = Rounded(unit=0.125)
    assert ReuseConfig.from_yaml(config.to_yaml()) == config
    run = RunConfig(model="custom-cnn", reuse=config)
    assert RunConfig.from_yaml(run.to_yaml()).reuse == config
    assert isinstance(config, ReuseConfig)


def test_it_is_of_no_accelerator() -> None:
    with pytest.raises(ValueError, match="config was a Rounded, but must be an Alike"):
        mercuric.simulate(network(), IMAGES, config=Rounded())


def test_a_configuration_without_a_method_is_refused() -> None:
    class Unknown(Rounded):
        """Nobody registered it."""

    known = "one of a Alike, a Directions, a Equal, a Rounded"
    with pytest.raises(ValueError, match=f"config was a Unknown, but must be {known}"):
        mercuric.reuse_(network(), Unknown())
    assert type(method_of(Directions())).__name__ == "DirectionsMethod"
