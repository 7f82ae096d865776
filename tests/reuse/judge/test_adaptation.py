"""Do bits grow on the plateau alone, and do layers turn off after T losing batches and no sooner?"""

import json
import math
import re
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric.reuse.judge.paper import Adaptation, AdaptationConfig, Change, Cost

LOSES, GAINS, EVEN = Cost(11, 10), Cost(9, 10), Cost(10, 10)
LAYERS = ("a", "b", "c")

# Sixteenths: sums and means are exact, so that the definition may sum in another order.
losses = st.lists(st.integers(0, 64).map(lambda n: n / 16), max_size=40)
costs = st.dictionaries(st.sampled_from(LAYERS), st.sampled_from([LOSES, GAINS, EVEN, None]))
runs = st.lists(st.tuples(st.integers(0, 64).map(lambda n: n / 16), costs), max_size=40)
configs = st.builds(
    AdaptationConfig,
    patience=st.none() | st.sampled_from([1, 2, 4]),
    tolerance=st.sampled_from([0, 0.25, 0.5]),
    max_bits=st.sampled_from([20, 23, 64]),
    stoppage=st.none() | st.integers(1, 4),
    plateau=st.sampled_from(["windows", "iterations"]),
)


def adaptation(bits: int = 20, layers: tuple[str, ...] = ("a",), **settings: object) -> Adaptation:
    return Adaptation(AdaptationConfig(**settings), layers, bits)


def growth_steps(values: list[float], config: AdaptationConfig) -> list[int]:
    """The plain definition: whole windows, compared one with the next; or steps in a row without a change."""
    k = config.patience
    if k is None:
        return []
    if config.plateau == "iterations":
        still = [abs(b - a) <= config.tolerance * abs(values[0]) for a, b in pairwise(values)]
        runs = "".join("=" if one else "x" for one in still)
        return [found.end() + 1 for found in re.finditer("=" * k, runs)]
    means = [fmean(values[start : start + k]) for start in range(0, len(values) - k + 1, k)]
    return [
        (window + 2) * k
        for window, (before, after) in enumerate(pairwise(means))
        if before - after <= config.tolerance * abs(means[0])
    ]


def stoppage_step(seen: list[Cost | None], stoppage: int | None) -> int | None:
    """The plain definition: the first step that ends T known costs in a row, all losing."""
    known = [(step, cost) for step, cost in enumerate(seen, start=1) if cost is not None]
    if stoppage is None:
        return None
    for end in range(stoppage, len(known) + 1):
        last = known[end - stoppage : end]
        if all(cost.signatures_and_products > cost.baseline for _, cost in last):
            return last[-1][0]
    return None


@given(configs, runs)
def test_changes_are_those_of_the_definition(config: AdaptationConfig, run: list) -> None:
    following = Adaptation(config, LAYERS, 20)
    changes = [following.step(loss, seen) for loss, seen in run]
    off = {name: stoppage_step([seen.get(name) for _, seen in run], config.stoppage) for name in LAYERS}
    turned_off = {change.layer: change.step for change in following.history if change.what == "off"}
    assert turned_off == {name: step for name, step in off.items() if step is not None}
    all_off = max((math.inf if step is None else step) for step in off.values())
    growing = [step for step in growth_steps([loss for loss, _ in run], config) if step < all_off]
    grown = [change for change in following.history if change.what == "bits"]
    assert [change.step for change in grown] == growing[: config.max_bits - 20]
    assert [change.after for change in grown] == list(range(21, 21 + len(grown)))
    assert following.bits == 20 + len(grown)
    assert [change for step in changes for change in step] == following.history
    assert all(change.step == step for step, one in enumerate(changes, start=1) for change in one)


@given(configs, runs, st.integers(0, 40))
def test_a_run_goes_on_from_its_saved_state(config: AdaptationConfig, run: list, stop: int) -> None:
    whole, first, resumed = (Adaptation(config, LAYERS, 20) for _ in range(3))
    for loss, seen in run[:stop]:
        whole.step(loss, seen)
        first.step(loss, seen)
    resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for loss, seen in run[stop:]:
        assert resumed.step(loss, seen) == whole.step(loss, seen)
    assert resumed.history == whole.history
    assert resumed.state_dict() == whole.state_dict()


@given(losses.filter(len), st.sampled_from([1, 2, 4]))
def test_a_loss_in_other_units_decides_the_same(values: list[float], patience: int) -> None:
    one, other = (adaptation(patience=patience, tolerance=0.25) for _ in range(2))
    for value in values:
        assert one.step(value, {}) == other.step(8 * value, {})


def test_bits_by_hand() -> None:
    following = adaptation(patience=2, tolerance=0.1)
    values = [4.0, 4.0, 3.0, 2.0, 2.0, 2.5, 1.5, 2.5, 9.0, 1.0]
    changes = [following.step(value, {}) for value in values]
    # Means 4, 2.5, 2.25, 2, 5: falls of 1.5, 0.25, 0.25 and a rise, against 0.1 x 4.
    grown = [
        Change(6, None, "bits", 20, 21),
        Change(8, None, "bits", 21, 22),
        Change(10, None, "bits", 22, 23),
    ]
    assert [change for step in changes for change in step] == grown
    assert following.history == grown


def test_iterations_by_hand() -> None:
    """III-D word for word: two steps in a row that change the loss by a tenth of the first at most."""
    following = adaptation(patience=2, tolerance=0.1, plateau="iterations")
    values = [4.0, 3.6, 3.0, 3.0, 3.4, 3.4, 3.4, 9.0, 9.0, 4.0]
    grown = [change.step for value in values for change in following.step(value, {})]
    # Changes 0.4, 0.6, 0, 0.4, 0, 0, 5.6, 0, 5, against 0.4: still at steps 2, 4, 5, 6, 7 and 9.
    assert grown == [5, 7]


def test_a_negative_loss_may_fall_too() -> None:
    following = adaptation(patience=1, tolerance=0.1)
    assert [len(following.step(value, {})) for value in (-1.0, -2.0, -2.05, -1.0)] == [0, 0, 1, 1]


def test_a_layer_turns_off_once_and_bits_name_what_it_had() -> None:
    following = adaptation(layers=("a", "b"), patience=1, stoppage=3)
    costs = {"a": LOSES, "b": GAINS}
    history = [following.step(1.0, costs) for _ in range(5)]
    assert history[0] == []
    assert history[2] == [Change(3, "a", "off", 21, 0), Change(3, None, "bits", 21, 22)]
    assert [change.layer for step in history for change in step] == [None, "a", None, None, None]
    assert following.off == {"a"}


def test_equal_costs_turn_nothing_off_and_break_the_row() -> None:
    following = adaptation(stoppage=2)
    for cost in (LOSES, EVEN, LOSES, GAINS, LOSES, EVEN):
        assert following.step(1.0, {"a": cost}) == []


def test_a_batch_without_a_cost_neither_adds_nor_breaks() -> None:
    following = adaptation(stoppage=2)
    assert [len(following.step(1.0, seen)) for seen in ({"a": LOSES}, {"a": None}, {}, {"a": LOSES})] == [
        0, 0, 0, 1,
    ]  # fmt: skip


def test_costs_add_up() -> None:
    assert Cost(2, 3) + Cost(5, 7) == Cost(7, 10)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_refused_and_changes_nothing(loss: float) -> None:
    following = adaptation(patience=2, stoppage=1)
    following.step(1.0, {})
    before = following.state_dict()
    with pytest.raises(ValueError, match=r"^loss was -?(nan|inf) at step 2, but must be finite$"):
        following.step(loss, {"a": LOSES})
    assert following.state_dict() == before


def test_wrong_costs_are_refused() -> None:
    with pytest.raises(ValueError, match="costs named layer 'z', but must name a, b"):
        adaptation(layers=("a", "b")).step(1.0, {"z": LOSES})
    with pytest.raises(ValueError, match=r"the cost of layer 'a' was .*nan.*, but must be finite"):
        adaptation().step(1.0, {"a": Cost(math.nan, 1)})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"patience": 0}, "patience was 0, but must be greater than or equal to 1"),
        ({"stoppage": 1.5}, "stoppage was 1.5"),
        ({"tolerance": -0.1}, "tolerance was -0.1"),
        ({"tolerance": math.nan}, "tolerance was nan"),
        ({"max_bits": 129}, "max_bits was 129, but must be less than or equal to 128"),
        ({"pace": 3}, "AdaptationConfig has no key 'pace'"),
        ({"bits": 129}, "bits was 129, but a signature has 1 to 128 bits"),
        ({"layers": ("a", "a")}, "layers was a, a, but must name each layer once"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        adaptation(**settings)
    assert sentence in str(raised.value)


def test_the_state_of_another_adaptation_is_refused() -> None:
    saved = json.loads(json.dumps(adaptation(patience=7, stoppage=None).state_dict()))
    other = adaptation(patience=8, layers=("a", "b"))
    before = other.state_dict()
    with pytest.raises(ValueError) as raised:
        other.load_state_dict(saved)
    assert str(raised.value) == (
        "the state is of another adaptation: patience was 7, but must be 8; stoppage was None, but must be "
        "50; layers was ['a'], but must be ['a', 'b']"
    )
    assert other.state_dict() == before


def test_a_falling_noisy_loss_keeps_its_bits_and_a_plateau_grows_them() -> None:
    """The defaults on a curve as minibatches give it: a fall over 1000 steps, then 2000 flat ones."""
    following = adaptation()
    for step in range(3000):
        level = 0.2 + 1.8 * max(0.0, 1 - step / 1000)
        following.step(level * (1 + 0.5 * math.sin(step * step)), {})
    grown = [change.step for change in following.history]
    assert 1000 < grown[0] <= 1600
    assert 27 <= following.bits <= 30
