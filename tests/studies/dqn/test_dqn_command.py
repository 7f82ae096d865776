"""``mercuric dqn`` as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

pytest.importorskip("ale_py", reason="ale-py, of the extra atari, is not installed")

Run = Callable[..., Result]
Refused = Callable[..., str]
SETTINGS = """
player: {learn_from: 240, learn_every: 8, explored: 50, batch_size: 4, replay: 240, width: 0.125}
"""
"""A game of random play is over in fewer turns than come before the first step."""
SHORT = ("breakout", "--turns", 320, "--games", 1, "--config", "short.yaml")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short.yaml").write_text(SETTINGS)


def test_table_page_and_figures(mercuric: Run) -> None:
    result = mercuric("dqn", *SHORT)
    assert result.exit_code == 0, result.output
    assert "dqn at width 0.125 plays breakout" in result.stdout
    assert "320 turns (1,280 frames) and 10 steps" in result.stdout
    out = Path("runs/dqn-breakout")
    page = (out / "report.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert page.count('class="chart"') == 2
    assert "Mnih et al. (2015) report 401.2 after 50 million turns" in page
    summary = json.loads((out / "dqn.json").read_text())
    assert (summary["turns"], summary["frames"], summary["steps"]) == (320, 1280, 10)
    assert len(summary["player"]["scores"]) == len(summary["random"]["scores"]) == 1
    assert summary["games"]
    assert (out / "command.txt").read_text() == (
        "mercuric dqn breakout --turns 320 --games 1 --config short.yaml\n"
    )


def test_it_goes_on_with_more_turns_and_its_own_settings(mercuric: Run) -> None:
    first = json.loads(mercuric("dqn", *SHORT, "--json").stdout)
    held = mercuric("dqn", *SHORT)
    assert "holds a run already; add --resume to go on" in held.stderr
    more = mercuric("dqn", "breakout", "--turns", 360, "--resume", "--json")
    assert more.exit_code == 0, more.output
    longer = json.loads(more.stdout)
    assert (longer["turns"], longer["steps"], longer["width"]) == (360, 15, 0.125)
    assert longer["games"][: len(first["games"])] == first["games"]
    other = mercuric("dqn", "breakout", "--turns", 380, "--seed", 3, "--resume")
    assert "holds another run: seed was 0, now 3" in other.stderr


def test_layers_compute_as_the_file_says(mercuric: Run) -> None:
    Path("reuse.yaml").write_text(SETTINGS + "reuse: {method: alike, bits: 20, adaptation: null}\n")
    result = mercuric("dqn", *SHORT[:-1], "reuse.yaml", "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["reuse"] == "alike"
    layers = summary["layers"]
    assert [layer["layer"] for layer in layers][:3] == ["features.0", "features.2", "features.4"]
    assert 0 < layers[0]["HIT"] < layers[0]["vectors"]
    page = Path("runs/dqn-breakout/report.html").read_text()
    assert "What was not computed again" in page
    assert "alike reuse" in page


def test_with_exact_reuse_it_learns_the_same(mercuric: Run) -> None:
    dense = json.loads(mercuric("dqn", *SHORT, "--json").stdout)
    result = mercuric("dqn", *SHORT, "--equal", "--out", "equal", "--json")
    assert result.exit_code == 0, result.output
    equal = json.loads(result.stdout)
    assert (dense["reuse"], equal["reuse"]) == (None, "equal")
    assert equal["loss"] == pytest.approx(dense["loss"], rel=1e-4)
    assert [layer["layer"] for layer in equal["layers"]][:2] == ["features.0", "features.2"]
    assert "What was not computed again" in Path("equal/report.html").read_text()


def test_its_page_is_written_again(mercuric: Run) -> None:
    mercuric("dqn", *SHORT, "--out", "new")
    before = Path("new/report.html").read_bytes()
    assert mercuric("report", "new").exit_code == 0
    assert Path("new/report.html").read_bytes() == before


def test_a_run_too_short_for_a_game_has_a_page_without_curves(mercuric: Run) -> None:
    result = mercuric("dqn", "enduro", "--turns", 60, "--games", 1, "--config", "short.yaml", "--out", "new")
    assert result.exit_code == 0, result.output
    page = Path("new/report.html").read_text()
    assert 'class="chart"' not in page
    assert "than the 0.0 of random play" in " ".join(page.split())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["chess"], "game was 'chess', but must be a game of ale-py, as breakout or ms-pacman"),
        (["pong", "--network", "vgg16"], "network was 'vgg16', but must be one of dqn, impala"),
        (["pong", "--turns", 0], "turns was 0, but must be greater than or equal to 1"),
        (["pong", "--width", 0.3], "width was 0.3, but features.0 has 32 channels"),
    ],
)
def test_a_wrong_option_of_dqn_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("dqn", *options))
    assert [path.name for path in tmp_path.iterdir()] == ["short.yaml"]
