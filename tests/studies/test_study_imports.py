"""Is every study a folder of its own, which knows others where that is listed alone?"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercuric import studies
from mercuric.studies.study import STUDIES

ROOT = Path(studies.__file__).parent
USES = {
    "accuracy": {"train"},  # its rows are trainings
    "bounds": {"similarity"},
    "evaluate": {"similarity"},
    "front": {"bench"},  # forms are timed as layers are
    "hitmap": {"simulate"},
    "shrink": {"evaluate"},  # a narrower network costs what an evaluation says
    "similarity": {"train"},  # shows a training's figures beside its own
    "simulate": {"train"},
    "speedups": {"sweep"},  # a table of one sweep
}
"""Which studies a study may import."""


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_study_imports_others_in_listed_pairs_alone() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    found: dict[str, set[str]] = {}
    for path in ROOT.glob("*/*.py"):
        for name in imported(path):
            parts = name.split(".")
            if parts[:2] == ["mercuric", "studies"] and parts[2] in folders - {path.parent.name}:
                found.setdefault(path.parent.name, set()).add(parts[2])
    assert found == USES


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/study.py")), ids=lambda path: path.parent.name)
def test_a_run_knows_neither_page_nor_terminal(path: Path) -> None:
    for name in imported(path):
        assert not name.startswith(("mercuric.page", "mercuric.terminal", "mercuric.cli"))
        assert not name.endswith((".page", ".command")) and ".page." not in name


def test_every_entry_can_be_loaded() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/command.py")}
    assert {study.function.split(".")[2] for study in STUDIES} == folders
    for study in STUDIES:
        assert callable(study.load())
        assert study.page is None or callable(study.load_page())
    assert len({study.name for study in STUDIES}) == len(STUDIES)
