import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric.data import atari_game
from mercuric.data.atari_game import SIDE, AtariGame, History, seen
from mercuric.errors import MercuricError

ale_py = pytest.importorskip("ale_py", reason="ale-py, of the extra atari, is not installed")


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**16))
def test_a_seen_pixel_is_the_mean_of_what_it_covers(height: int, width: int, seed: int) -> None:
    before, after = np.random.default_rng(seed).integers(0, 256, (2, height, width), np.uint8)
    fine = np.maximum(before, after).repeat(SIDE, 0).repeat(SIDE, 1).astype(np.int64)
    sums = fine.reshape(SIDE, height, SIDE, width).sum((1, 3))
    assert np.array_equal(seen(before, after), np.floor(sums / (height * width) + 0.5))


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_screen_of_one_grey_keeps_it(before: int, after: int) -> None:
    screens = (np.full((210, 160), grey, np.uint8) for grey in (before, after))
    assert (seen(*screens) == max(before, after)).all()


def test_a_state_is_the_last_four_frames_over_black() -> None:
    frames = [np.full((2, 2), grey, np.uint8) for grey in (1, 2, 3, 4, 5)]
    history = History(frames[0])
    assert history.state[:, 0, 0].tolist() == [0, 0, 0, 1]
    for frame in frames[1:]:
        history.add(frame)
    assert history.state[:, 0, 0].tolist() == [2, 3, 4, 5]


def test_an_action_is_held_for_four_frames_and_the_last_two_are_seen() -> None:
    played = AtariGame("breakout", 3)
    waited = int(np.random.default_rng(3).integers(1, 30, endpoint=True))
    emulator = ale_py.ALEInterface()
    emulator.setFloat("repeat_action_probability", 0.0)
    emulator.loadROM(ale_py.roms.get_rom_path("breakout"))
    actions = emulator.getMinimalActionSet()
    screens = []
    for action in [0] * waited + [1] * 4 + [2] * 4:
        emulator.act(actions[action])
        screens.append(emulator.getScreenGrayscale())
    assert np.array_equal(played.start(), seen(*screens[waited - 2 : waited]))
    assert np.array_equal(played.play(1).frame, seen(*screens[-6:-4]))
    assert np.array_equal(played.play(2).frame, seen(*screens[-2:]))


def recorded(name: str, seed: int, turns: int) -> list[tuple[bytes, float, bool, bool]]:
    played, random = AtariGame(name, seed), np.random.default_rng(0)
    played.start()
    told = [played.play(int(random.integers(played.actions))) for _ in range(turns)]
    return [(turn.frame.tobytes(), turn.reward, turn.life_lost, turn.over) for turn in told]


def test_a_seed_gives_the_same_game_and_another_one_another() -> None:
    first, again, other = (recorded("ms-pacman", seed, 60) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_breakout_is_lost_life_by_life_and_begins_anew() -> None:
    played, random = AtariGame("breakout", 0), np.random.default_rng(1)
    assert played.actions == 4
    for _ in range(2):
        played.start()
        lost, points, over = 0, 0.0, False
        while not over:
            turn = played.play(int(random.integers(4)))
            lost, points, over = lost + turn.life_lost, points + turn.reward, turn.over
        assert lost == 5
        assert 0 <= points < 20


def test_a_game_ends_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atari_game, "MOST_FRAMES", 60)
    played = AtariGame("breakout", 0)
    played.start()
    turns = 1
    while not played.play(0).over:
        turns += 1
    assert 8 <= turns <= 15


def test_an_unknown_game_is_refused() -> None:
    with pytest.raises(ValueError, match="game was 'chess', but must be a game of ale-py, as breakout or"):
        AtariGame("chess", 0)


def test_without_ale_py_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    atari_game.games.cache_clear()
    monkeypatch.setitem(sys.modules, "ale_py", None)
    with pytest.raises(MercuricError, match=r'ale_py, which is not installed; .* "mercuric\[atari\]"'):
        AtariGame("pong", 0)
