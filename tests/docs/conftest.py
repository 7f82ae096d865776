"""Says, after the tests, how much of the documentation's code ran."""

from collections import Counter
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    total: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, counts in getattr(report, "user_properties", []):
            if name == "documented":
                total.update(counts)
    if total:
        terminalreporter.write_line(
            f"Documentation: {total['python']} Python blocks and {total['ran']} commands ran, "
            f"{total['parsed']} commands parsed, {total['elsewhere']} blocks have tests of their own"
        )


@pytest.fixture(autouse=True)
def _plain_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERCURIC_TRACEBACK", raising=False)
