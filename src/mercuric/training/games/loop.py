"""How does a player learn a game by playing it?"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from torch import Tensor

from mercuric.config import differences
from mercuric.data.atari_game import AtariGame, History
from mercuric.errors import Diverged, MercuricError
from mercuric.progress import Progress, silent
from mercuric.saved_state import Finite, SavedState, Whole
from mercuric.training.checkpoint import load_checkpoint, save_checkpoint
from mercuric.training.games.config import PlayerConfig
from mercuric.training.games.player import Player, exploration
from mercuric.training.games.replay import Replay

FREE = frozenset({"turns", "checkpoint_every", "games", "careless"})
"""Settings that may change where a run goes on: how far it goes, what a kill costs, what is played after."""
SHOWN = 20
"""Games whose mean score the progress shows."""


class PlayedGame(SavedState):
    """A whole game that was played while learning.

    Attributes:
        turn: turns done at its end.
        score: its points.
        seconds: of playing and learning so far.
    """

    turn: Whole
    score: Finite
    seconds: Annotated[Finite, Field(ge=0)]


class LearningState(SavedState):
    """Where a saved run stands, beside its network and optimizer.

    Attributes:
        turn: turns done.
        steps: of the optimizer.
        seconds: of playing and learning.
        loss: mean of the steps since the checkpoint before; None without any.
        games: played so far.
        target: the target network's weights.
        settings: what must be the same where it goes on.
    """

    turn: Whole
    steps: Whole
    seconds: Annotated[Finite, Field(ge=0)]
    loss: Finite | None
    games: list[PlayedGame]
    target: dict[str, Tensor]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Learned:
    """What came of learning.

    Attributes:
        steps: of the optimizer.
        seconds: of playing and learning.
        loss: mean of the last steps; None where there was none.
        games: that were played.
    """

    steps: int
    seconds: float
    loss: float | None
    games: list[PlayedGame]


@dataclass(frozen=True)
class GameRun:
    """One player that learns one game.

    Attributes:
        game: its name.
        seed: what games, random actions and drawn transitions follow from (the caller seeds the weights).
        player: learns in place.
        folder: of the run.
        after_step: called with a step's loss; its time is learning time.
        progress: told turns done.
        clock: what seconds are read from.
    """

    game: str
    seed: int
    player: Player
    folder: Path
    after_step: Callable[[float], object] | None = None
    progress: Progress = silent
    clock: Callable[[], float] = time.perf_counter

    @property
    def config(self) -> PlayerConfig:
        """How the player learns."""
        return self.player.config

    @property
    def checkpoint(self) -> Path:
        """Where the run is saved."""
        return self.folder / "checkpoints" / "player.safetensors"

    def learn(self, resume: bool = False) -> Learned:
        """Play and learn to the end.

        A run that goes on has its weights, optimizer and games; its replay is filled anew, by as many turns
        as are played before the first step, in which nothing is learned. So it is not to the bit what it
        would have been.

        Args:
            resume: go on from the checkpoint, where there is one.

        Raises:
            Diverged: the loss is no longer finite.
            MercuricError: the checkpoint does not fit, or is broken.
            OSError: the folder can't be written.
        """
        state = LearningState(
            turn=0, steps=0, seconds=0.0, loss=None, games=[], target={}, settings=self._settings()
        )
        if resume and self.checkpoint.exists():
            state = self._resume()
        seconds = state.seconds
        started = self.clock() - seconds
        games, losses, loss = list(state.games), list[float](), state.loss
        for turn, learnt, score in self._turns(state.turn):
            seconds = self.clock() - started
            losses += [] if learnt is None else [learnt]
            if score is not None:
                games.append(PlayedGame(turn=turn, score=score, seconds=seconds))
            self.progress(turn, self.config.turns, _shown(games))
            if turn % self.config.checkpoint_every == 0 or turn == self.config.turns:
                loss, losses = float(np.mean(losses)) if losses else loss, []
                self._save(turn, seconds, loss, games)
        return Learned(self.player.steps, seconds, loss, games)

    def _turns(self, done: int) -> Iterator[tuple[int, float | None, float | None]]:
        """Turns done, the loss where a step followed, the score where a game ended; a turn at a time."""
        config = self.config
        if done == config.turns:
            return
        replay = Replay(config.replay, turns=config.return_turns, discount=config.discount)
        played = AtariGame(self.game, self.seed * 1_000_003 + done)
        history, first, score = History(played.start()), True, 0.0
        for turn in range(done - min(done, config.learn_from), config.turns):
            random = np.random.default_rng((self.seed, turn))
            action = self.player.act(history.state, exploration(config, turn), random)
            result = played.play(action)
            ended = result.over or result.life_lost
            replay.add(history.state[-1], action, float(np.sign(result.reward)), ended, first)
            history.add(result.frame)
            first, score = False, score + result.reward
            finished = score if result.over else None
            if result.over:
                history, first, score = History(played.start()), True, 0.0
            if turn >= done:
                learns = turn >= config.learn_from and turn % config.learn_every == 0
                yield turn + 1, self._step(replay, turn, random) if learns else None, finished

    def _step(self, replay: Replay, turn: int, random: np.random.Generator) -> float:
        loss = self.player.learn(replay.draw(self.config.batch_size, random))
        if not isfinite(loss):
            raise Diverged(
                f"the loss became {loss} at turn {turn}; try a learning_rate under "
                f"{self.config.learning_rate:g}"
            )
        if self.after_step:
            self.after_step(loss)
        return loss

    def _save(self, turn: int, seconds: float, loss: float | None, games: list[PlayedGame]) -> None:
        state = LearningState(
            turn=turn, steps=self.player.steps, seconds=seconds, loss=loss, games=games,
            target=dict(self.player.target.state_dict()), settings=self._settings(),
        )  # fmt: skip
        save_checkpoint(self.checkpoint, self.player.network, self.player.optimizer, state.plain())

    def _resume(self) -> LearningState:
        saved = load_checkpoint(self.checkpoint, self.player.network, self.player.optimizer, self._check)
        state = LearningState.of(saved, "its state")
        try:
            self.player.target.load_state_dict(state.target)
        except RuntimeError as error:
            raise MercuricError(f"the checkpoint {self.checkpoint} is broken: {error}") from None
        self.player.steps = state.steps
        return state

    def _check(self, state: dict[str, Any]) -> None:
        try:
            saved = LearningState.of(state, "its state")
        except ValueError as error:
            raise MercuricError(f"the checkpoint {self.checkpoint} does not fit: {error}") from None
        if changes := differences(saved.settings, self._settings(), FREE):
            raise MercuricError(f"the checkpoint {self.checkpoint} is of another run: {changes}")
        if saved.turn > self.config.turns:
            raise MercuricError(
                f"the checkpoint {self.checkpoint} holds {saved.turn} turns, but turns was "
                f"{self.config.turns}; give more"
            )

    def _settings(self) -> dict[str, Any]:
        return {"game": self.game, "seed": self.seed, **self.config.model_dump(mode="json")}


def _shown(games: list[PlayedGame]) -> str:
    last = deque((game.score for game in games[-SHOWN:]), SHOWN)
    return f"mean score {np.mean(last):.1f} of the last {len(last)} games" if last else ""
