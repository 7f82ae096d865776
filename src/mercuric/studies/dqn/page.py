"""How does what was learned of a game become a page?"""

from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from rich.table import Table
from rich.text import Text

from mercuric.files.reading import read_json_object
from mercuric.page import chart, formats
from mercuric.page.chart import Picture, figure
from mercuric.page.machine import machine_facts
from mercuric.page.page import write
from mercuric.page.parts import Card, Page, Section, Side
from mercuric.page.table import SortableTable, numbers, words

SMOOTHED = 50
"""Games whose mean a curve shows."""
PUBLISHED = {
    "beam-rider": 6846, "breakout": 401.2, "enduro": 301.8, "ms-pacman": 2311, "pong": 18.9, "qbert": 10596,
    "seaquest": 5286, "space-invaders": 1976,
}  # fmt: skip
"""Mean scores of DQN after 50 million turns (Mnih et al., 2015, Extended Data Table 2)."""
_WHO = {"player": "the player", "random": "random play"}


def score_table(summary: dict[str, Any]) -> Table:
    """The player's games and random ones."""
    table = Table(title=Text(_subject(summary)), caption=Text(_learned(summary)))
    table.add_column("")
    for name in ("mean score", "standard deviation", "least", "most", "games"):
        table.add_column(name, justify="right")
    for key, who in _WHO.items():
        one = summary[key]
        ends = (f"{end(one['scores']):g}" for end in (min, max))
        table.add_row(who, f"{one['mean']:.1f}", f"{one['spread']:.1f}", *ends, str(len(one["scores"])))
    return table


def write_page(folder: Path, command: str) -> Path:
    """Write ``report.html`` beside ``dqn.json``, which it shows; return its path.

    Raises:
        MercuricError: it can't be written.
    """
    return write(_page(read_json_object(folder / "dqn.json"), command), folder)


def _page(summary: dict[str, Any], command: str) -> Page:
    player, random = summary["player"]["mean"], summary["random"]["mean"]
    says = "more than" if player > random else "no more than"
    return Page(
        title=f"{summary['game']}: Mercuric dqn",
        kicker="learning a game",
        subject=_subject(summary),
        headline=f"{player:.1f} points a game of {summary['game']}, {says} the {random:.1f} of random play.",
        lead=f"{_learned(summary)}.{_published(summary)}",
        cards=_cards(summary),
        sections=[_learning(summary), _played(summary), _layers(summary)],
        methods=_methods(summary),
        machine=machine_facts(summary["machine"], timed=True),
        command=command,
    )


def _subject(summary: dict[str, Any]) -> str:
    width = "" if summary["width"] == 1 else f" at width {summary['width']:g}"
    reuse = "" if summary["reuse"] is None else f", {summary['reuse']} reuse"
    return f"{summary['network']}{width} plays {summary['game']}{reuse}"


def _learned(summary: dict[str, Any]) -> str:
    return (
        f"{formats.number_of(summary['turns'], 'turn')} ({summary['frames']:,} frames) and "
        f"{formats.number_of(summary['steps'], 'step')} in {formats.duration(summary['seconds'])}, "
        f"seed {summary['seed']}"
    )


def _published(summary: dict[str, Any]) -> str:
    if summary["game"] not in PUBLISHED:
        return ""
    return f" Mnih et al. (2015) report {PUBLISHED[summary['game']]:g} after 50 million turns."


def _cards(summary: dict[str, Any]) -> list[Card]:
    player, random = summary["player"], summary["random"]
    beside = f"± {player['spread']:.1f} over {formats.number_of(len(player['scores']), 'game')}"
    return [
        Card("The player", f"{player['mean']:.1f}", beside, player["mean"] <= random["mean"]),
        Card("Random play", f"{random['mean']:.1f}", f"± {random['spread']:.1f}"),
        Card(
            "Learning", formats.duration(summary["seconds"]),
            f"{1e3 * summary['seconds'] / summary['turns']:.1f} ms a turn",
        ),
    ]  # fmt: skip


def _learning(summary: dict[str, Any]) -> Section:
    games = pd.DataFrame(summary["games"], columns=["turn", "score", "seconds"])
    note = f"Each game's score, and the mean of the last {SMOOTHED}; actions are still partly random."
    pictures = [
        Picture("score-turns", "Score by turns", note, _curve(games, "turn", "turns")),
        Picture("score-seconds", "Score by seconds", note, _curve(games, "seconds", "seconds of learning")),
    ]
    return Section("learning", "Scores while it learned", [Side(pictures)] if len(games) else [])


def _curve(games: pd.DataFrame, against: str, title: str) -> go.Figure:
    picture = figure(340, title, "score")
    at = chart.rounded(games[against])
    picture.add_scatter(
        x=at, y=games["score"].tolist(), mode="markers", name="a game",
        marker={"size": 4, "color": chart.DENSE}, opacity=0.5,
    )  # fmt: skip
    picture.add_scatter(
        x=at, y=chart.rounded(games["score"].rolling(SMOOTHED, min_periods=1).mean()), mode="lines",
        name="mean", line={"color": chart.MERCURY, "width": 3},
    )  # fmt: skip
    return picture


def _played(summary: dict[str, Any]) -> Section:
    played = [(who, summary[key]) for key, who in _WHO.items()]
    points = "{:.1f}".format
    columns = [
        words("who", [who for who, _ in played]),
        numbers("mean", [one["mean"] for _, one in played], points),
        numbers("standard deviation", [one["spread"] for _, one in played], points, "of one game"),
        numbers("least", [min(one["scores"]) for _, one in played], "{:g}".format),
        numbers("most", [max(one["scores"]) for _, one in played], "{:g}".format),
    ]
    return Section("games", "Games after it learned", [SortableTable(columns)])


def _layers(summary: dict[str, Any]) -> Section:
    layers = summary["layers"]
    reused = [layer["HIT"] / layer["vectors"] if layer["vectors"] else None for layer in layers]
    columns = [
        words("layer", [layer["layer"] for layer in layers]),
        words("kind", [layer["kind"] for layer in layers]),
        numbers("input vectors", [layer["vectors"] for layer in layers], formats.count),
        numbers("reused", reused, formats.percent, "that took another's result"),
    ]
    return Section("layers", "What was not computed again", [SortableTable(columns)] if layers else [])


def _methods(summary: dict[str, Any]) -> list[tuple[str, str]]:
    reuse = (
        "Of the network, while it learned, since the run was last gone on with. The target network reuses "
        "too; a state alone, in which an action is chosen, is computed as PyTorch does."
    )
    return [
        *([("Reused vectors", reuse)] if summary["layers"] else []),
        ("A turn", "An action, held for four frames of 60 a second."),
        (
            "A game",
            "From its beginning, after up to 30 frames in which nothing is done, until all lives are lost or "
            "5 minutes are over; its score is the emulator's, not the clipped one that is learned from.",
        ),
        (
            "The player",
            f"After learning; {formats.percent(summary['careless'], 0)} of its actions are random, as in the "
            "paper (Mnih et al., 2015), so that no two games are the same.",
        ),
        ("Random play", "Every action is as likely; the same number of games, which begin in the same ways."),
        (
            "Learning",
            f"Batches of {summary['batch_size']} transitions, returns of "
            f"{formats.number_of(summary['return_turns'], 'turn')}, one seed: another seed gives another "
            "curve. Seconds are of playing and learning, evaluation excluded.",
        ),
    ]
