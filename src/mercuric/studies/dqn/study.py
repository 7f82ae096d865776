"""How well does a network play a game that it has learned, and how long did that take?"""

from importlib.metadata import version
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mercuric.data.atari_game import FRAME_SKIP, AtariGame
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.progress import Progress, named, silent
from mercuric.studies.dqn.config import DqnConfig
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.training.games.loop import FREE, GameRun, Learned
from mercuric.training.games.play import scores
from mercuric.training.games.player import Player

_JUDGED = 2**20
"""Added to the seed for the games that are judged: learning has others."""


@alone
def learn_game(
    config: DqnConfig, folder: Path, resume: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Learn a game, play it, and play it at random; write the run's folder and return its summary.

    Args:
        config: game and player.
        folder: gets ``config.yaml``, ``checkpoints/player.safetensors`` and ``dqn.json``, the summary.
        resume: go on with a run of the same configuration that was stopped or killed, or is finished; it may
            have more turns.
        progress: told turns of learning, then games.

    Raises:
        ValueError: an unknown game.
        MercuricError: ale-py is not installed, the folder holds a run already (or, resuming, another one), or
            the loss diverges.
        OSError: the folder can't be written.
    """
    actions = AtariGame(config.game, config.seed).actions
    torch.manual_seed(config.seed)
    player = Player(actions, config.player)
    handle = None if config.reuse is None else player.reuse(config.reuse)
    free = frozenset(f"player.{name}" for name in FREE)
    claim_folder(folder, config, resume, free, resolved={"ale-py": version("ale-py")})
    run = GameRun(
        config.game, config.seed, player, folder, after_step=None if handle is None else handle.step,
        progress=named(progress, bar="learning"),
    )  # fmt: skip
    learned = run.learn(resume)
    judged = {
        "player": _judged(config, player, config.player.careless, named(progress, bar="playing")),
        "random": _judged(config, player, 1.0, named(progress, bar="random play")),
    }
    layers = [] if handle is None else records(handle.report()[["layer", "kind", "vectors", "HIT"]])
    summary = {**_summary(config, learned, judged), "layers": layers, "machine": machine()}
    write_text(folder / "dqn.json", json_text(summary) + "\n")
    return summary


def _judged(config: DqnConfig, player: Player, careless: float, progress: Progress) -> dict[str, Any]:
    """Scores of whole games, so many actions of which are random, their mean and standard deviation."""

    def act(state: NDArray[np.uint8], generator: np.random.Generator) -> int:
        return player.act(state, careless, generator)

    reached = scores(config.game, act, config.player.games, config.seed + _JUDGED, progress)
    return {"mean": fmean(reached), "spread": pstdev(reached), "scores": reached}


def _summary(config: DqnConfig, learned: Learned, judged: dict[str, Any]) -> dict[str, Any]:
    return {
        "game": config.game,
        "network": config.player.network,
        "width": config.player.width,
        "seed": config.seed,
        "reuse": None if config.reuse is None else config.reuse.method,
        "turns": config.player.turns,
        "frames": FRAME_SKIP * config.player.turns,
        "steps": learned.steps,
        "batch_size": config.player.batch_size,
        "return_turns": config.player.return_turns,
        "careless": config.player.careless,
        "seconds": round(learned.seconds, 3),
        "loss": learned.loss,
        **judged,
        "games": [game.plain() for game in learned.games],
    }
