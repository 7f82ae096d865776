"""Is what one cites this version?"""

from pathlib import Path

import yaml

import mercuric

ROOT = Path(__file__).parent.parent
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_version_is_this_one() -> None:
    assert CITATION["version"] == mercuric.__version__
    assert f"version = {{{mercuric.__version__}}}" in (ROOT / "docs" / "figures.md").read_text(
        encoding="utf-8"
    )


def test_software_and_paper_have_what_a_citation_needs() -> None:
    assert {"cff-version", "message", "title", "authors"} <= CITATION.keys()
    [paper] = CITATION["references"]
    said = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(author["family-names"] in said for author in paper["authors"])
    assert paper["year"] == 2023 and paper["title"].startswith("MERCURY: ")
