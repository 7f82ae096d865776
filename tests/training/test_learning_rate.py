import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric import zoo
from mercuric.training import TrainingConfig
from mercuric.training.optimization import learning_rate, make_optimizer

SCHEDULES = ["one-cycle", "cosine", "step", "constant"]


def rates(schedule: str, steps: int, peak: float = 0.1) -> list[float]:
    config = TrainingConfig(schedule=schedule, learning_rate=peak)
    return [learning_rate(config, step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(steps=st.integers(1, 300), peak=st.floats(1e-6, 10))
def test_every_rate_is_above_zero_and_at_most_the_peak(schedule: str, steps: int, peak: float) -> None:
    assert all(0 < rate <= peak for rate in rates(schedule, steps, peak))


@given(steps=st.integers(10, 300))
def test_one_cycle_rises_to_its_peak_and_falls(steps: int) -> None:
    curve = rates("one-cycle", steps)
    top = curve.index(max(curve))
    assert curve[: top + 1] == sorted(curve[: top + 1])
    assert curve[top:] == sorted(curve[top:], reverse=True)
    assert max(curve) > 0.095
    assert abs(top / steps - 0.2) <= 1 / steps


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
@given(steps=st.integers(50, 300))
def test_the_last_rate_is_near_zero(schedule: str, steps: int) -> None:
    assert rates(schedule, steps)[-1] < 0.001


def test_cosine_falls_from_the_peak_through_its_half() -> None:
    curve = rates("cosine", 100)
    assert curve[0] == 0.1
    assert curve[50] == pytest.approx(0.05)
    assert curve == sorted(curve, reverse=True)


def test_step_falls_to_a_tenth_at_half_and_at_three_quarters() -> None:
    assert rates("step", 8) == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)


def test_constant_stays() -> None:
    assert rates("constant", 17) == [0.1] * 17


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"optimizer": "sgd"}, {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}),
        ({"optimizer": "sgd", "momentum": 0}, {"momentum": 0, "nesterov": False}),
        ({"optimizer": "adamw", "weight_decay": 0.01}, {"betas": (0.9, 0.999), "weight_decay": 0.01}),
    ],
)
def test_the_optimizer_is_as_configured(fields: dict[str, object], expected: dict[str, object]) -> None:
    model = zoo.build("custom-cnn", 7, 3, 16)
    optimizer = make_optimizer(model, TrainingConfig(**fields))
    (group,) = optimizer.param_groups
    assert expected.items() <= group.items()
    assert len(group["params"]) == len(list(model.parameters()))
