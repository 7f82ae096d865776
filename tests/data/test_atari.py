import numpy as np
import pytest
import torch

from mercuric import data
from mercuric.data import atari
from mercuric.errors import MercuricError

pytest.importorskip("ale_py", reason="ale-py, of the extra atari, is not installed")


@pytest.fixture(scope="module")
def few() -> data.ImageData:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atari, "TRAIN_STATES", 12)
        patch.setattr(atari, "TEST_STATES", 5)
        return data.load("atari")


def test_image_i_is_of_game_i_modulo_8(few: data.ImageData) -> None:
    assert (few.channels, few.image_size, few.classes) == (4, 84, atari.GAMES)
    assert (len(few.train), len(few.test)) == (96, 40)
    known = torch.from_numpy(atari.random_states("pong", 2 * atari.GAMES.index("pong"), 12))
    pong = few.train.labels == atari.GAMES.index("pong")
    assert torch.equal(few.train.pixels(pong.nonzero()[:, 0]), known)
    assert few.train.labels.bincount().tolist() == [12] * 8


def test_no_state_is_in_both_parts(few: data.ImageData) -> None:
    train, test = (
        {image.numpy().tobytes() for image in part.pixels(torch.arange(len(part)))}
        for part in (few.train, few.test)
    )
    assert not train & test


def test_states_that_are_known_are_passed_over() -> None:
    states = atari.random_states("breakout", 5, 6)
    assert states.shape == (6, 4, 84, 84)
    others = atari.random_states("breakout", 5, 4, without=states[::2])
    assert np.array_equal(others[:3], states[1::2])
    assert np.array_equal(atari.random_states("breakout", 5, 6), states)


def test_training_states_have_mean_0_and_deviation_1(few: data.ImageData) -> None:
    states, _ = few.train.batch(torch.arange(96))
    assert states.shape == (96, 4, 84, 84)
    assert states.mean((0, 2, 3)) == pytest.approx([0] * 4, abs=1e-4)
    assert states.std((0, 2, 3), correction=0) == pytest.approx([1] * 4, abs=1e-4)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="image_size was 64, but states of atari have 84 pixels a side"):
        data.load("atari", image_size=64)


def test_there_is_nothing_to_fetch_but_ale_py(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing to fetch" in data.fetch("atari")
    monkeypatch.setattr(atari, "find_spec", lambda _name: None)
    with pytest.raises(MercuricError, match=r'not installed: pip install "mercuric\[atari\]"'):
        data.fetch("atari")
    assert {row.name: row.present for row in data.describe()}["atari"] is False
