"""Can every chart that any test writes into a page be drawn for a paper? What can't is named there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mercuric.page.listeners import telling
from mercuric.page.parts import Part, Section


@pytest.fixture(autouse=True)
def charts_are_read_for_papers() -> Iterator[None]:
    """Charts are read, which takes no time, and not drawn; one that has something new raises."""
    with telling(_read):
        yield


def _read(sections: Sequence[Section], _page: Path | None) -> None:
    for section in sections:
        for part in section.parts:
            _read_part(part)


def _read_part(part: Part) -> None:
    from mercuric.page.chart import Picture
    from mercuric.page.paper.chart import read_chart

    if isinstance(part, Picture):
        read_chart(part.chart)
    for inner in part.parts:
        _read_part(inner)
