import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mercuric.training.games.replay import Replay, Transitions

SIDE = 2


def frame(number: int) -> np.ndarray:
    return np.full((SIDE, SIDE), number, np.uint8)


def filled(replay: Replay, ends: list[tuple[bool, bool]]) -> None:
    """Turn t has frame t + 1, action t and reward t; ``ends`` says whether a life and a game ended."""
    first = True
    for turn, (life, game) in enumerate(ends):
        replay.add(frame(turn + 1), turn, float(turn), life or game, first)
        first = game


def expected(
    ends: list[tuple[bool, bool]], turn: int, history: int, turns: int
) -> tuple[list[int], list[int], float, float]:
    """State, next state, return and discount of a turn, from the turns before and after it one by one."""

    def state(last: int) -> list[int]:
        frames = []
        for place in range(last, last - history, -1):
            begun = place < 0 or any(ends[later][1] for later in range(place, last))
            frames.append(0 if begun else place + 1)
        return frames[::-1]

    total, factor = 0.0, 1.0
    for later in range(turn, turn + turns):
        total += factor * later
        factor *= 0 if any(ends[later]) else 0.5
    return state(turn), state(turn + turns), total, factor


def greys(states: torch.Tensor) -> list[list[int]]:
    return states[:, :, 0, 0].tolist()


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 12),
    st.integers(0, 2**16),
)
def test_what_is_drawn_is_what_was_played(
    ends: list[tuple[bool, bool]], history: int, turns: int, spare: int, seed: int
) -> None:
    replay = Replay(history + turns + spare, SIDE, history, turns, discount=0.5)
    filled(replay, ends)
    lost = max(0, len(ends) - replay.capacity)
    oldest = lost + history - 1 if lost else 0
    drawable = range(oldest, len(ends) - turns)
    assert len(replay) == len(drawable)
    if not drawable:
        return
    drawn = replay.draw(60, np.random.default_rng(seed))
    assert set(drawn.actions.tolist()) <= set(drawable)
    for place, turn in enumerate(drawn.actions.tolist()):
        state, following, total, factor = expected(ends, turn, history, turns)
        assert greys(drawn.states)[place] == state
        assert drawn.returns[place].item() == pytest.approx(total)
        assert drawn.discounts[place].item() == factor
        assert drawn.dones[place].item() == (factor == 0)
        if factor:
            assert greys(drawn.next_states)[place] == following


def test_every_transition_is_drawn_as_often() -> None:
    replay = Replay(12, SIDE, history=2, turns=1)
    filled(replay, [(False, False)] * 30)
    drawn = replay.draw(11_000, np.random.default_rng(0)).actions.bincount(minlength=30)
    assert drawn[:19].sum() == 0, "turn 19 is the oldest that has both its frames"
    assert drawn[29] == 0, "what follows on the newest is not known yet"
    assert drawn[19:29].min() > 0.85 * 1100
    assert drawn[19:29].max() < 1.15 * 1100


def test_shapes_and_types() -> None:
    replay = Replay(50)
    for turn in range(10):
        replay.add(np.zeros((84, 84), np.uint8), turn, 1.0, False)
    drawn = replay.draw(3, np.random.default_rng(0))
    assert isinstance(drawn, Transitions)
    assert drawn.states.shape == drawn.next_states.shape == (3, 4, 84, 84)
    assert (drawn.states.dtype, drawn.actions.dtype) == (torch.uint8, torch.int64)
    assert (drawn.returns.dtype, drawn.discounts.dtype) == (torch.float32, torch.float32)
    assert drawn.discounts.tolist() == pytest.approx([0.99] * 3)


def test_what_was_drawn_is_no_view_of_what_is_kept() -> None:
    replay = Replay(6, SIDE, history=1)
    filled(replay, [(False, False)] * 3)
    drawn = replay.draw(8, np.random.default_rng(0))
    drawn.states.zero_()
    assert (replay.draw(8, np.random.default_rng(0)).states > 0).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"capacity": 4}, "capacity was 4, but must be at least 5 frames"),
        ({"capacity": 9, "turns": 0}, "turns was 0, but must be at least 1"),
        ({"capacity": 9, "history": -1}, "history was -1, but must be at least 1"),
        ({"capacity": 9, "side": 0}, "side was 0, but must be at least 1"),
        ({"capacity": 9, "discount": 0.0}, "discount was 0.0, but must be above 0 and at most 1"),
    ],
)
def test_impossible_settings_are_refused(arguments: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Replay(**arguments)


def test_nothing_can_be_drawn_of_nothing() -> None:
    replay = Replay(9, SIDE, turns=3)
    filled(replay, [(False, False)] * 3)
    assert len(replay) == 0
    with pytest.raises(ValueError, match="a replay without transitions was drawn from"):
        replay.draw(1, np.random.default_rng(0))
