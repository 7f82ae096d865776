"""Does the documentation build strictly, and does every link of it lead somewhere?"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import mercuric

pytest.importorskip("mkdocs", reason="mkdocs is not installed: it comes with the extra docs")
pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed: it comes with the extra docs")

ROOT = Path(__file__).parents[2]
BUILD = (sys.executable, "-m", "mkdocs", "build", "--strict")


class Read(HTMLParser):
    """What a page links to, what it has anchors for, and pictures that say nothing to who can't see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = {""}
        self.silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {value for name, value in attributes if name in ("id", "name") and value}
        self.links += [value for name, value in attributes if name in ("href", "src") and value]
        if tag == "img" and not given.get("alt"):
            self.silent.append(str(given.get("src"))[:80])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [*BUILD, "--site-dir", folder], cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Read]:
    return {path: Read(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_link_leads_somewhere(pages: dict[Path, Read]) -> None:
    wrong = []
    for path, page in pages.items():
        if path.name == "404.html":  # served from anywhere: its links begin with the site's root
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                wrong.append(f"{path.name}: {link}")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                wrong.append(f"{path.name}: {link} has no such place")
    assert wrong == []


def test_every_picture_says_what_it_shows(pages: dict[Path, Read]) -> None:
    assert {path.name: page.silent for path, page in pages.items() if page.silent} == {}


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Read], site: Path) -> None:
    """The site works from a disk: what a page needs lies beside it."""
    loads = re.compile(r'<(?:script|img|link)[^>]+(?:src|href)="?(https?:)?//')
    assert [path.name for path in pages if loads.search(path.read_text(encoding="utf-8"))] == []
    assert "googleapis" not in (site / "index.html").read_text()


def test_the_api_has_every_public_name(pages: dict[Path, Read]) -> None:
    anchors = set().union(*(page.anchors for path, page in pages.items() if path.parent.name == "api"))
    public = {f"mercuric.{name}" for name in mercuric.__all__ if name != "__version__"}
    assert public - anchors == set()


def test_a_broken_link_stops_the_build(tmp_path: Path) -> None:
    """With a copy of the settings that has one page alone."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[nowhere](nowhere.md), [here](#there)\n")
    kept = (ROOT / "mkdocs.yml").read_text().partition("validation:")[2].partition("\nnav:")[0]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: one\nvalidation:{kept}\n")
    done = subprocess.run(BUILD, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
    assert "#there" in done.stderr
