"""Does ``mercuric report`` write the page of every finished folder again, and ``load_run`` its tables?"""

import json
import random
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pandas import read_csv

from mercuric import MercuricError, __version__, load_run
from mercuric.studies.run_folder import RESOLVED
from mercuric.studies.stored_command import COMMAND

Run = Callable[..., Any]
Refused = Callable[..., str]

SMALL = ("--images", 2)
COMMANDS = {
    "train": ("train", "custom-cnn", "--compare", "--batch-size", 12),
    "directions": ("train", "custom-cnn", "--fast", "--batch-size", 12),
    "similarity": ("similarity", "custom-cnn", *SMALL),
    "evaluate": ("evaluate", "custom-cnn", "--batch", "1,2", "--accelerator", "eyeriss-like"),
    "evaluate dense": ("evaluate", "custom-cnn", "--dense"),
    "sweep": ("sweep", "custom-cnn", "--set", "ways=4,16", *SMALL),
    "speedups": ("speedups", "custom-cnn", *SMALL, "--image-size", 32),
    "bounds": ("bounds", "custom-cnn", *SMALL),
    "shrink": ("shrink", "custom-cnn", "--trials", 4, "--train-examples", 12, "--batch-size", 6),
    "schedule": ("bench", "schedule", "custom-cnn", "--quick"),
}
FOR_PAPERS = ("train", "sweep", "shrink", "schedule")
"""Those whose charts are drawn as well; ``drawn_charts`` has those of all read for that."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_is_written_again(mercuric: Run, refused: Refused, tmp_path: Path, name: str) -> None:
    out, page = tmp_path / "filled", tmp_path / "filled" / "report.html"
    done = mercuric(*COMMANDS[name], "--out", out)
    assert done.exit_code == 0, done.output
    before = page.read_bytes()
    assert (out / COMMAND).read_text().startswith(f"mercuric {COMMANDS[name][0]} ")
    page.unlink(missing_ok=True)
    paper = ("--figures", tmp_path / "paper") if name in FOR_PAPERS else ()
    loaded = load_run(out)
    assert loaded.study == " ".join(word for word in COMMANDS[name][:2] if word != "custom-cnn")
    assert loaded.version == __version__
    assert all(len(table.columns) for table in loaded.tables.values())
    again = mercuric("report", out, *paper)
    assert again.exit_code == 0, again.output
    if paper:
        _for_papers(page, tmp_path / "paper")
    assert again.stdout == f"Report: {page}\n"
    assert page.read_bytes() == before
    _edited(out, mercuric, refused)


def _for_papers(page: Path, folder: Path) -> None:
    """Each chart and each table of the page is there in all its forms."""
    text = page.read_text(encoding="utf-8")
    for kind in ("svg", "pdf", "png"):
        drawn = {path.stem for path in folder.glob(f"*.{kind}")}
        assert drawn == set(re.findall(r'data-chart="([^"]*)"', text))
    tables = len(re.findall("<table ", text))
    for kind in ("csv", "tex"):
        assert len(list(folder.glob(f"*.{kind}"))) >= tables


def _edited(out: Path, mercuric: Run, refused: Refused) -> None:
    """Every random edit of the folder's JSON gives a page, or one sentence."""
    draw = random.Random(0)
    for path in sorted(set(out.glob("*.json")) - {out / RESOLVED}):
        whole = path.read_bytes()
        for _ in range(6):
            content = json.loads(whole)
            _edit(content, draw)
            path.write_text(json.dumps(content))
            done = mercuric("report", out)
            if done.exit_code:
                refused(done)
            with suppress(MercuricError), warnings.catch_warnings(action="ignore"):
                load_run(out)
        for text in ("", "{", "[]", "5", "null", "[" * 100_000, '{"a":' * 500 + "1" + "}" * 500):
            path.write_text(text)
            refused(mercuric("report", out))
        path.write_bytes(whole)


def _edit(content: Any, draw: random.Random) -> None:
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = draw.choice(keys)
    if isinstance(content[key], dict | list) and content[key] and draw.random() < 0.7:
        _edit(content[key], draw)
    elif draw.random() < 0.3:
        del content[key]
    else:
        content[key] = draw.choice([None, 5, -1, "x", [], {}, True, 1e300, float("nan"), 10**40, [None]])


def test_a_folder_that_nothing_filled(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    assert "is not a run's folder: no such directory" in refused(mercuric("report", tmp_path / "none"))
    assert "is not the folder of a finished run" in refused(mercuric("report", tmp_path))


@pytest.mark.parametrize("place", ["file", "file/inside", "/proc/version/new"])
def test_figures_need_a_folder(mercuric: Run, refused: Refused, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    for command in (("report", tmp_path), ("similarity", "custom-cnn", "--out", tmp_path / "run")):
        said = refused(mercuric(*command, "--figures", tmp_path / place))
        assert re.search("figures was .*, but must be a folder: .* is a file", said)
    assert not (tmp_path / "run").exists(), "it is said before any work"


def test_figures_of_what_has_no_page(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    refused(mercuric("report", tmp_path, "--figures", tmp_path / "paper"))
    assert not (tmp_path / "paper").exists()
    assert mercuric("hitmap", "custom-cnn", "--images", 1, "--figures", tmp_path / "paper").exit_code == 2


def test_a_study_exports_its_own_page(mercuric: Run, tmp_path: Path) -> None:
    out, paper = tmp_path / "run", tmp_path / "paper"
    done = mercuric("bounds", "custom-cnn", *SMALL, "--out", out, "--figures", paper, "--json")
    assert done.exit_code == 0, done.output
    json.loads(done.stdout)
    assert done.stderr.endswith(f"Figures: 6 files in {paper}\n")
    assert {path.name for path in paper.glob("*.svg")} == {"fig17.svg", "fig17-layers.svg"}
    assert "figures" not in (out / COMMAND).read_text()


def test_hitmaps_have_no_page(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    assert mercuric("hitmap", "custom-cnn", "--images", 1, "--out", tmp_path / "h").exit_code == 0
    assert "was filled by mercuric hitmap, which makes no page" in refused(mercuric("report", tmp_path / "h"))


def test_a_simulation_exports_its_cycles(mercuric: Run, tmp_path: Path) -> None:
    done = mercuric("simulate", "custom-cnn", "--images", 1, "--json", "--figures", tmp_path)
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.glob("*.svg")} == {"cycles-paper.svg", "cycles-fair.svg"}
    written = read_csv(tmp_path / "layers.csv")
    assert written["cycles_mercury (number)"].tolist() == [
        row["cycles_mercury"] for row in json.loads(done.stdout)["layers"]
    ]


def test_a_benchmark_exports_its_tables(mercuric: Run, tmp_path: Path) -> None:
    paper = tmp_path / "paper"
    done = mercuric(
        "bench", "attention", "--quick", "--rounds", 1, "--figures", paper, "--out", tmp_path / "b"
    )
    assert done.exit_code == 0, done.output
    assert len(list(paper.glob("*.tex"))) == len(list(paper.glob("*.csv"))) > 0
    loaded = load_run(tmp_path / "b")
    assert loaded.study == "bench attention"
    assert "attention-planted" in loaded.tables
