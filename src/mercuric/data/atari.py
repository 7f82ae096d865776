"""Which frames of Atari games are there on every machine that has ale-py?"""

from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from mercuric.data.atari_game import HISTORY, SIDE, AtariGame, Frame, History
from mercuric.data.normalisation import Normalisation, measured
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.errors import ArgumentError

NAME = "atari"
INSTALL = 'pip install "mercuric[atari]"'
GAMES = (
    "beam-rider",
    "breakout",
    "enduro",
    "ms-pacman",
    "pong",
    "qbert",
    "seaquest",
    "space-invaders",
)
TRAIN_STATES, TEST_STATES = 256, 64
"""States of each game."""
TURNS_BETWEEN = 4
"""Turns from one state that is kept to the next."""


def present() -> bool:
    """Whether ale-py, which ships the games, is installed."""
    return find_spec("ale_py") is not None


def load(image_size: int | None) -> ImageData:
    """States of eight games, played at random; the class is the game.

    2,048 states to train on and 512 to test on, the same ones each time: game i modulo 8, four frames of
    84 x 84 each, every fourth turn of games with one seed for training and another for testing. No state that
    is tested on is among those of training.

    Args:
        image_size: 84, the only one.

    Raises:
        ValueError: another size.
        MercuricError: ale-py is not installed.
    """
    if image_size not in (None, SIDE):
        raise ArgumentError(f"image_size was {image_size}, but states of {NAME} have {SIDE} pixels a side")
    train, test = [], []
    for label, game in enumerate(GAMES):
        train.append(random_states(game, seed=2 * label, count=TRAIN_STATES))
        test.append(random_states(game, seed=2 * label + 1, count=TEST_STATES, without=train[-1]))
    normalisation = measured(_in_turn(train))
    known, unknown = (_split(states, normalisation) for states in (train, test))
    return ImageData(NAME, GAMES, HISTORY, SIDE, train=known, test=unknown)


def random_states(game: str, seed: int, count: int, without: Frame | None = None) -> Frame:
    """(count, 4, 84, 84): states of a game in which every action is as likely, every fourth turn one.

    Args:
        game: its name.
        seed: of the game and of the actions.
        count: how many.
        without: states that are passed over.

    Raises:
        ValueError: an unknown game.
        MercuricError: ale-py is not installed.
    """
    passed = set() if without is None else {state.tobytes() for state in without}
    played, random = AtariGame(game, seed), np.random.default_rng(seed)
    kept: list[Frame] = []
    history, turns = History(played.start()), 0
    while len(kept) < count:
        turn = played.play(int(random.integers(played.actions)))
        turns += 1
        if turn.over:
            history = History(played.start())
            continue
        history.add(turn.frame)
        if turns % TURNS_BETWEEN == 0 and history.state.tobytes() not in passed:
            kept.append(history.state)
    return np.stack(kept)


def _in_turn(states: list[Frame]) -> Tensor:
    """(N, 4, 84, 84): image i is of game i modulo 8."""
    return torch.from_numpy(np.stack(states, 1).reshape(-1, HISTORY, SIDE, SIDE))


def _split(states: list[Frame], normalisation: Normalisation) -> InMemorySplit:
    images = _in_turn(states)
    return InMemorySplit(images, torch.arange(len(images)) % len(GAMES), normalisation)
