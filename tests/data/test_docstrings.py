from pathlib import Path

import pytest

from mercuric.data.docstrings import Entry, entries, source_folder
from mercuric.errors import MercuricError

LONG = "Says enough to fill a page." * 10
SOURCE = f'''"""{LONG}"""

def documented(first, /, second, *, third=3):
    """{LONG}"""

def _private():
    """{LONG}"""

def short():
    """Too short."""

class Shape:
    """{LONG}"""

    def area(self, unit):
        """{LONG}"""
'''


def test_long_docstrings_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "module.py").write_text(SOURCE)
    (tmp_path / "again.py").write_text(f'"""{LONG}"""')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_module.py").write_text(SOURCE)
    names = ["again", "inner.module", "documented(first, second, third)", "class Shape", "area(unit)"]
    assert list(entries(tmp_path)) == [Entry(name, LONG) for name in names]


def test_what_is_no_python_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "template.py").write_text("{{ no python }}")
    (tmp_path / "null.py").write_bytes(b"\0")
    assert list(entries(tmp_path)) == []


def test_a_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unimportable" / "inner").mkdir(parents=True)
    (tmp_path / "unimportable" / "__init__.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    assert source_folder("unimportable", "inner") == tmp_path / "unimportable" / "inner"


@pytest.mark.parametrize(
    ("package", "folder"), [("nowhere_installed", ""), ("numpy", "nowhere"), ("ast", "")]
)
def test_what_is_not_installed_is_named(package: str, folder: str) -> None:
    with pytest.raises(MercuricError, match=rf"^the package {package} is not installed.*mercuric\[studies\]"):
        source_folder(package, folder)
