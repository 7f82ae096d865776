"""How wide are tables, in a window, in a pipe, and as the user asks?"""

import pytest
from rich.console import Console

from mercuric.terminal.console import output


@pytest.mark.parametrize(("columns", "width"), [(None, 140), ("97", 97)])
def test_a_pipe_cuts_no_line_unless_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert output().width == width


def test_a_window_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(Console, "is_terminal", True)
    assert output().width == Console().width
