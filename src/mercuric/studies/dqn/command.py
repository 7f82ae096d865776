"""``mercuric dqn``: let a network learn an Atari game."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mercuric.config import read_mapping
from mercuric.studies.dqn.config import DqnConfig
from mercuric.studies.dqn.page import score_table, write_page
from mercuric.studies.dqn.study import learn_game
from mercuric.studies.stored_command import store_command
from mercuric.terminal import options
from mercuric.terminal.console import show
from mercuric.terminal.progress import bars


def dqn(
    context: typer.Context,
    game: Annotated[str, typer.Argument(help="A game of ale-py, as breakout or ms-pacman.")],
    turns: Annotated[
        int | None, typer.Option(help="Actions to choose while it learns, each held for 4 frames.")
    ] = None,
    network: Annotated[str | None, typer.Option(help="dqn, or impala.")] = None,
    width: Annotated[float | None, typer.Option(help="Channels of each layer, times this.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Transitions a step.")] = None,
    learn_every: Annotated[int | None, typer.Option(help="Turns from one step to the next.")] = None,
    equal: Annotated[
        bool, typer.Option("--equal", help="Learn with exact reuse: equal vectors are computed once.")
    ] = False,
    games: Annotated[int | None, typer.Option(help="Games to play after learning.")] = None,
    seed: Annotated[int | None, typer.Option(help="What weights, games and actions are drawn by.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with any field of a run's config.yaml.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/dqn-GAME by default.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run; it may get more turns.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    given = {"game": game, "seed": seed, "reuse": {"method": "equal"} if equal else None}
    player = {
        "turns": turns, "network": network, "width": width, "batch_size": batch_size,
        "learn_every": learn_every, "games": games,
    }  # fmt: skip
    folder = out or Path("runs") / f"dqn-{game}"
    settings = _settings(given, player, config, folder, resume)
    with bars() as progress:
        summary = learn_game(settings, folder, resume, progress)
    report = write_page(folder, store_command(folder, context, more=resume))
    show(as_json, summary, score_table(summary), f"Report: {report}")


def _settings(
    given: dict[str, Any], player: dict[str, Any], config: Path | None, folder: Path, resume: bool
) -> DqnConfig:
    """What the file says, or a run that is gone on with, and the options that were given on top."""
    saved = folder / "config.yaml"
    source = config if config is not None else saved if resume and saved.exists() else None
    base = {} if source is None else read_mapping(source)
    chosen = {key: value for key, value in given.items() if value is not None}
    own = {key: value for key, value in player.items() if value is not None}
    before = base.get("player") or {}
    if own and isinstance(before, dict):
        chosen["player"] = {**before, **own}
    return DqnConfig(**{**base, **chosen})
