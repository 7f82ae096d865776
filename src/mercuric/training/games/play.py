"""How well does somebody play a game?"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mercuric.data.atari_game import AtariGame, History
from mercuric.progress import Progress, silent

Act = Callable[[NDArray[np.uint8], np.random.Generator], int]
"""Called with a state (4, 84, 84) and a generator; returns an action."""


def scores(game: str, act: Act, games: int, seed: int, progress: Progress = silent) -> list[float]:
    """Points of each of so many games, whole ones, whose lives are one after the other.

    Args:
        game: its name.
        act: who plays.
        games: how many.
        seed: of how they begin and of what the generator draws.
        progress: told games done.

    Raises:
        ValueError: an unknown game.
    """
    played, random = AtariGame(game, seed), np.random.default_rng(seed)
    reached: list[float] = []
    for done in range(games):
        progress(done, games, f"last score {reached[-1]:g}" if reached else "")
        reached.append(_score(played, act, random))
    progress(games, games, f"mean score {np.mean(reached):.1f}")
    return reached


def _score(played: AtariGame, act: Act, random: np.random.Generator) -> float:
    history, score, over = History(played.start()), 0.0, False
    while not over:
        turn = played.play(act(history.state, random))
        history.add(turn.frame)
        score, over = score + turn.reward, turn.over
    return score
