"""Do the notebooks run, and show what is stored in them?"""

import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
MOST_BYTES = 200_000


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> Any:
    for package in ("nbclient", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} is not installed: it comes with the extra docs")
    monkeypatch.syspath_prepend(NOTEBOOKS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    from execute import executed

    yield executed
    sys.modules.pop("execute", None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored(path: Path, execute: Any) -> None:
    import nbformat

    stored, ran = nbformat.read(path, as_version=4), execute(path)
    assert [shown(cell) for cell in stored.cells] == [shown(cell) for cell in ran.cells]


def shown(cell: Any) -> list[tuple[str, ...]]:
    """Kinds of a cell's outputs: what stands in them differs in the last digits between machines."""
    return [
        (output.output_type, *sorted(output.get("data", {}), key=str)) for output in cell.get("outputs", [])
    ]


def test_there_are_four_and_they_are_small() -> None:
    assert [path.stem for path in FILES] == ["accelerator", "exact-reuse", "figure-14c", "similarity"]
    assert all(path.stat().st_size < MOST_BYTES for path in FILES)
    assert all("/home/" not in path.read_text() and "/work/" not in path.read_text() for path in FILES)
