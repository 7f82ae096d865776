"""Does every table of figures with reuse say how similarity was found, and what normalised?"""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]

SMALL = ("--images", 2)
COMMANDS = {
    "simulate": SMALL,
    "evaluate": ("--accelerator", "eyeriss-like"),
    "bounds": SMALL,
    "similarity": SMALL,
    "sweep": ("--set", "rows=8", *SMALL),
}
HOW = "20-bit signatures of a channel's windows; 1024 entries in sets of 16"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_says_how_similarity_was_found(
    mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert HOW in shown(mercuric(command, "custom-cnn", *COMMANDS[command]))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("custom-cnn", "; no layer normalises by statistics of a batch"),
        ("mobilenet-v2", "; normalised by each batch's own statistics, as a training step does"),
    ],
)
def test_a_table_says_what_normalised(mercuric: Run, tmp_path: Path, network: str, said: str) -> None:
    assert said in shown(mercuric("sweep", network, *COMMANDS["sweep"], "--out", tmp_path))


def shown(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("vary", "said"), [("entries=64,128", "; sets of 16"), ("ways=4,8", "; 1024 entries")]
)
def test_what_does_not_vary_of_an_mcache_is_said(mercuric: Run, tmp_path: Path, vary: str, said: str) -> None:
    done = mercuric("sweep", "custom-cnn", "--set", vary, "--images", 1, "--inference", "--out", tmp_path)
    assert f"{said};" in shown(done)


def test_the_speedups_markdown_says_it_again(mercuric: Run, tmp_path: Path) -> None:
    done = mercuric("speedups", "custom-cnn", *SMALL, "--image-size", 32, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    before = (tmp_path / "speedups.md").read_text()
    assert before.startswith(f"{HOW} (eyeriss-168).")
    (tmp_path / "speedups.md").unlink()
    assert mercuric("report", tmp_path).exit_code == 0
    assert (tmp_path / "speedups.md").read_text() == before
