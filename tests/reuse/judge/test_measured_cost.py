"""Are layers timed in turn, on what training gave them, without a trace in training?"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import weight_norm
from torch.nn.utils.parametrizations import spectral_norm

from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.judge.measured_cost import MeasuredCost


class Spied(nn.Linear):
    """Remembers on what it ran while timed, and how."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.reuse: bool | None = None
        self.timed = 0
        self.runs: list[tuple[bool, Tensor, Tensor]] = []

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        output = super().forward(input).view(-1, self.out_features)  # a view, changed in place by the ReLU
        if self.reuse is not None:
            reuse = self.reuse
            self.timed += 1
            if output.requires_grad:
                output.register_hook(lambda gradient: self.runs.append((reuse, input, gradient)))
        return output


class Training:
    """Three layers, their measured costs, and a step."""

    def __init__(
        self,
        every: int,
        repeats: int = 4,
        inplace: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        torch.manual_seed(0)
        self.layers = {name: Spied(6, 6) for name in "abc"}
        self.model = nn.Sequential()
        for name, layer in self.layers.items():
            self.model.add_module(name, layer)
            self.model.add_module(f"{name}_relu", nn.ReLU(inplace))
        self.switched: list[tuple[str, bool]] = []
        self.cost = MeasuredCost(self.layers, self.switch, every, repeats, clock)

    @contextmanager
    def switch(self, name: str, on: bool) -> Iterator[None]:
        self.switched.append((name, on))
        self.layers[name].reuse = on
        yield
        self.layers[name].reuse = None

    def step(self, on: str = "abc") -> dict[str, Cost | None]:
        self.model.zero_grad()
        self.model(torch.randn(4, 6)).square().sum().backward()
        return self.cost.step(list(on))


def known(costs: dict[str, Cost | None]) -> str:
    return "".join(name for name, cost in costs.items() if cost is not None)


def test_layers_take_turns() -> None:
    training = Training(every=2)
    assert [known(training.step()) for _ in range(4)] == ["ac", "b", "ac", "b"]
    training = Training(every=5)
    assert [known(training.step()) for _ in range(6)] == ["a", "b", "c", "", "", "a"]


def test_every_layer_is_named_and_costs_milliseconds() -> None:
    costs = Training(every=1).step()
    assert list(costs) == ["a", "b", "c"]
    for cost in costs.values():
        assert cost is not None
        assert 0 < cost.signatures_and_products < 10_000
        assert 0 < cost.baseline < 10_000


def test_reuse_and_dense_run_in_turn() -> None:
    training = Training(every=3, repeats=2)
    training.step()
    assert training.switched == [("a", True), ("a", False)] * 2


def timed(runs: list[float]) -> Training:
    """A training whose layer "a" was timed by a clock under which runs, in turn, take so many seconds."""
    seconds, now, starts = iter(runs), 0.0, True

    def clock() -> float:
        nonlocal now, starts
        now += 0.0 if starts else next(seconds)
        starts = not starts
        return now

    return Training(every=3, clock=clock)


def test_the_shortest_run_of_each_counts_because_noise_only_adds() -> None:
    cost = timed([0.9, 0.004, 0.0035, 0.5, 0.7, 0.8, 0.003, 0.006]).step()["a"]  # reuse and dense in turn
    assert cost is not None
    assert cost.signatures_and_products == pytest.approx(3)
    assert cost.baseline == pytest.approx(4)


def test_two_runs_are_enough_where_one_form_is_clearly_faster() -> None:
    training = timed([0.9, 0.8, 0.003, 0.006])
    cost = training.step()["a"]
    assert cost is not None and cost.baseline == pytest.approx(2 * cost.signatures_and_products)
    assert training.switched == [("a", True), ("a", False)] * 2


def test_measuring_takes_under_a_hundredth_of_a_thousand_steps() -> None:
    layers = nn.ModuleDict({name: nn.Linear(2, 2) for name in "ab"})
    runs: list[str] = []

    @contextmanager
    def switch(name: str, _on: bool) -> Iterator[None]:
        runs.append(name)
        yield

    cost = MeasuredCost(dict(layers), switch, every=1000)
    for _ in range(1000):
        layers["b"](layers["a"](torch.ones(1, 2))).sum().backward()
        cost.step("ab")
    assert set(runs) == {"a", "b"} and len(runs) < 0.01 * 2 * 1000


def test_a_layer_is_timed_on_its_own_input_and_gradient() -> None:
    training = Training(every=1, inplace=False)
    seen: dict[str, Tensor] = {}
    layer = training.layers["b"]
    layer.register_forward_hook(
        lambda _layer, arguments, output: seen.update(input=arguments[0]) or output.retain_grad()
        or seen.update(output=output)
    )  # fmt: skip
    training.step()
    assert [reuse for reuse, _, _ in layer.runs] in ([True, False] * times for times in (2, 3, 4))
    for _, given, gradient in layer.runs:
        assert torch.equal(given, seen["input"])
        assert torch.equal(gradient, seen["output"].grad)
        assert gradient.unique().numel() > 1


def test_training_goes_on_as_if_nothing_was_timed() -> None:
    timed, plain = Training(every=1), Training(every=1)
    plain.cost.close()
    for training in (timed, plain):
        torch.manual_seed(1)
        calls = []
        training.layers["a"].register_forward_hook(lambda *_, calls=calls: calls.append(1))
        training.step()
        assert len(calls) == 1
    for one, other in zip(timed.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


def test_a_layer_that_is_off_is_not_timed() -> None:
    training = Training(every=1)
    assert known(training.step(on="ac")) == "ac"
    assert known(training.step(on="c")) == "c"
    assert {name for name, _ in training.switched} == {"a", "c"}


def test_a_layer_that_did_not_run_costs_nothing() -> None:
    training = Training(every=1)
    assert known(training.cost.step(["a", "b", "c"])) == ""
    with torch.no_grad():
        training.model(torch.randn(4, 6))
    assert known(training.cost.step(["a", "b", "c"])) == ""
    assert training.switched == []


def test_all_passes_of_a_step_are_timed() -> None:
    training = Training(every=1, repeats=1)
    batches = [torch.randn(4, 6), torch.randn(2, 6)]
    for images in batches:
        training.model(images).sum().backward()
    training.cost.step(["a"])
    runs = training.layers["a"].runs
    assert [reuse for reuse, _, _ in runs] == [True, True, False, False]
    for (_, given, _), images in zip(runs, batches * 2, strict=True):
        assert torch.equal(given, images)


def test_the_costs_of_a_layers_calls_add_up() -> None:
    """Reuse takes 1 ms and 2 ms in the two calls of one step, dense 5 ms and 7 ms."""
    training = timed([0.001, 0.002, 0.005, 0.007] * 2)
    training.model.append(training.layers["a"])
    cost = training.step()["a"]
    assert cost is not None
    assert cost.signatures_and_products == pytest.approx(3)
    assert cost.baseline == pytest.approx(12)


def test_a_derived_weight_is_timed_as_it_is() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 16, 6))
    spectral_norm(model[0])
    weight_norm(model[2])
    cost = MeasuredCost({"0": model[0], "2": model[2]}, lambda *_: nullcontext(), every=1)
    for _ in range(2):
        model(torch.randn(2, 3, 6, 6)).sum().backward()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        assert known(cost.step(["0", "2"])) == "02"
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_frozen_layers_are_timed_forward() -> None:
    training = Training(every=1, repeats=2)  # more would be measured or not, as the clock says
    training.layers["a"].requires_grad_(False)
    assert training.step()["a"] is not None
    assert training.layers["a"].timed == 4
    assert training.layers["a"].runs == []


def test_mixed_precision_is_timed_in_the_same_precision() -> None:
    training = Training(every=1)
    with torch.autocast("cpu", torch.bfloat16):
        loss = training.model(torch.randn(4, 6)).sum()
    loss.backward()
    assert known(training.cost.step(list("abc"))) == "abc"
    assert {gradient.dtype for _, _, gradient in training.layers["b"].runs} == {torch.bfloat16}


def test_closed_it_watches_no_layer() -> None:
    training = Training(every=1)
    training.cost.close()
    assert all(not layer._forward_hooks for layer in training.layers.values())


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="every was 0, but must be at least 1"):
        Training(every=0)
    with pytest.raises(ValueError, match="repeats was 0, but must be at least 1"):
        Training(every=1, repeats=0)
