from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mercuric.errors import Diverged, MercuricError
from mercuric.training.games.config import PlayerConfig
from mercuric.training.games.loop import GameRun, Learned
from mercuric.training.games.play import scores
from mercuric.training.games.player import Player

pytest.importorskip("ale_py", reason="ale-py, of the extra atari, is not installed")

SHORT = PlayerConfig(
    width=0.125, turns=260, replay=120, batch_size=4, learn_from=60, learn_every=4, explored=100,
    target_every=10, checkpoint_every=100,
)  # fmt: skip
BREAKOUT_ACTIONS = 4


def run(folder: Path, config: PlayerConfig = SHORT, seed: int = 0, **more: Any) -> GameRun:
    torch.manual_seed(seed)
    return GameRun("breakout", seed, Player(BREAKOUT_ACTIONS, config), folder, **more)


def weights(one: GameRun) -> list[torch.Tensor]:
    return [*one.player.network.state_dict().values(), *one.player.target.state_dict().values()]


def facts(learned: Learned) -> tuple[Any, ...]:
    return learned.steps, learned.loss, [(game.turn, game.score) for game in learned.games]


def test_a_seed_gives_the_same_player_and_another_one_another(tmp_path: Path) -> None:
    first, again, other = (run(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    learned = first.learn()
    assert learned.steps == 50
    assert learned.loss is not None
    assert learned.games
    assert learned.seconds > 0
    assert facts(learned) == facts(again.learn())
    assert all(map(torch.equal, weights(first), weights(again)))
    other.learn()
    assert not torch.equal(weights(first)[0], weights(other)[0])


def test_steps_follow_once_enough_was_played(tmp_path: Path) -> None:
    steps: list[int] = []
    done: list[int] = []
    one = run(
        tmp_path, SHORT.changed(turns=80), after_step=lambda _loss: steps.append(len(done)),
        progress=lambda turn, *_: done.append(turn),
    )  # fmt: skip
    assert one.learn().steps == 5
    assert steps == [60, 64, 68, 72, 76]
    assert done == list(range(1, 81))


def killed_at(turn: int) -> Callable[..., None]:
    def progress(done: int, *_: object) -> None:
        if done == turn:
            raise KeyboardInterrupt

    return progress


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole").learn()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", progress=killed_at(250)).learn()
    told: list[int] = []
    resumed = run(tmp_path / "killed", progress=lambda done, *_: told.append(done))
    learned = resumed.learn(resume=True)
    assert told == list(range(201, 261)), "turns that fill the replay again are not counted"
    assert learned.steps == whole.steps
    early = [(game.turn, game.score) for game in whole.games if game.turn <= 200]
    assert [(game.turn, game.score) for game in learned.games][: len(early)] == early
    seconds = [game.seconds for game in learned.games]
    assert seconds == sorted(seconds)
    assert seconds[-1] <= learned.seconds


def test_a_finished_run_is_not_learned_again_but_may_get_more_turns(tmp_path: Path) -> None:
    first = run(tmp_path)
    learned = first.learn()
    again = run(tmp_path, progress=killed_at(1))
    assert again.learn(resume=True) == learned
    assert all(map(torch.equal, weights(first), weights(again)))
    longer = run(tmp_path, SHORT.changed(turns=300, games=7)).learn(resume=True)
    assert longer.steps == learned.steps + 10
    assert longer.games[: len(learned.games)] == learned.games


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    run(tmp_path).learn()
    with pytest.raises(MercuricError, match=r"is of another run: learning_rate was 0\.00025, now 0\.1"):
        run(tmp_path, SHORT.changed(learning_rate=0.1)).learn(resume=True)
    with pytest.raises(MercuricError, match="holds 260 turns, but turns was 200; give more"):
        run(tmp_path, SHORT.changed(turns=200)).learn(resume=True)


def test_a_checkpoint_without_a_target_network_is_refused(tmp_path: Path) -> None:
    one = run(tmp_path)
    one.player.target = torch.nn.Linear(2, 2)
    with pytest.raises(RuntimeError):
        one.learn()
    one = run(tmp_path, SHORT.changed(turns=50, checkpoint_every=10))
    one.player.target = torch.nn.Linear(2, 2)
    one.learn()
    with pytest.raises(MercuricError, match="is broken"):
        run(tmp_path, SHORT.changed(turns=90)).learn(resume=True)


def test_a_loss_that_is_not_finite_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Player, "learn", lambda _self, _batch: float("nan"))
    with pytest.raises(Diverged, match=r"the loss became nan at turn 60; try a learning_rate under 0\.00025"):
        run(tmp_path).learn()


def test_scores_are_of_whole_games_of_every_life() -> None:
    told: list[tuple[int, int]] = []

    def act(state: np.ndarray, generator: np.random.Generator) -> int:
        assert state.shape == (4, 84, 84)
        return int(generator.integers(BREAKOUT_ACTIONS))

    reached = scores("breakout", act, 2, 5, lambda done, total, *_: told.append((done, total)))
    assert reached == scores("breakout", act, 2, 5)
    assert len(reached) == 2
    assert all(0 <= score < 20 for score in reached)
    assert told == [(0, 2), (1, 2), (2, 2)]
