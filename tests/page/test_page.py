"""Is text safe in a page, whatever it holds, and are the page's files where it is installed?"""

import json
import re
from dataclasses import replace
from importlib.resources import files
from math import nan
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from mercuric.page import formats
from mercuric.page.chart import Picture, figure
from mercuric.page.page import unbroken, units, write
from mercuric.page.parts import Card, Folded, Page, Paragraph, Part, Section, Side
from mercuric.page.table import SortableTable, numbers, words

EVIL = "</script></title><img src=x onerror='alert(1)'>\"&"


def page_of(*parts: Part, text: str = "") -> Page:
    return Page(
        title=text, kicker=text, subject=text, headline=text, lead=text, cards=[Card(text, text, text)],
        sections=[Section("one", text, parts), Section("none", "no such heading", [])],
        methods=[(text, text)], machine=[(text, text)], command=text,
    )  # fmt: skip


def picture(text: str) -> Picture:
    chart = figure(300, "", "")
    chart.add_scatter(x=[1], y=[nan], name=text)
    return Picture("drawn", text, text, chart)


def test_no_text_is_taken_for_html(tmp_path: Path) -> None:
    table = SortableTable([words(EVIL, [EVIL], EVIL)], EVIL)
    parts = (picture(EVIL), table, Paragraph(EVIL), Side([Paragraph(EVIL)]), Folded(EVIL, Paragraph(EVIL)))
    written = write(page_of(*parts, text=EVIL), tmp_path).read_text(encoding="utf-8")
    body = written.split("</head>")[1].split("Plotly")[0]
    assert "<img" not in written.split("plotly.js")[0] and "<img" not in body
    assert body.count("&lt;img src=x") > 20
    [content] = re.findall(r'data-chart="drawn">(.*?)</script>', written)
    assert json.loads(content)["data"][0] == {"name": EVIL, "type": "scatter", "x": [1], "y": [None]}


def test_a_picture_has_a_place_of_its_own_in_a_section_of_its_name(tmp_path: Path) -> None:
    page = replace(page_of(), sections=[Section("drawn", "heading", [picture("again")])])
    written = write(page, tmp_path).read_text(encoding="utf-8").split("</main>")[0]
    places = re.findall(r'<[a-z]+[^>]* id="([^"]+)"', written)
    assert {"drawn", "chart-drawn"} < set(places) and len(places) == len(set(places))


def test_a_section_without_parts_is_left_out(tmp_path: Path) -> None:
    assert "no such heading" not in write(page_of(), tmp_path).read_text(encoding="utf-8")


def test_cells_sort_by_their_number(tmp_path: Path) -> None:
    counts = numbers("count", [1500, nan, None], formats.count, loses=[True, False, False])
    table = SortableTable([words("layer", ["a", "b", "c"]), counts])
    written = write(page_of(table), tmp_path).read_text(encoding="utf-8")
    assert re.findall("<tr>(<td.*?)</tr>", written) == [
        '<td class="text">a</td><td class="number loses" data-value="1500">1.50 k</td>',
        f'<td class="text">b</td><td class="number">{formats.MISSING}</td>',
        f'<td class="text">c</td><td class="number">{formats.MISSING}</td>',
    ]


def test_a_number_and_its_unit_stay_together() -> None:
    assert unbroken("12.3 G cycles in 6 min, a < b") == "12.3\xa0G cycles in 6\xa0min, a < b"
    assert units("6 min 52 s") == [("6", "min"), (" 52", "s"), ("", "")]
    assert units("dense") == [("dense", "")]


def test_a_name_that_a_template_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'config' is undefined"):
        write(page_of(), tmp_path, "mercuric.studies.train/page.html")


def test_templates_style_and_script_are_installed() -> None:
    templates = files("mercuric.page") / "templates"
    parts = {one.template for one in (Picture, SortableTable, Paragraph, Side, Folded)}
    names = {one.name for one in templates.iterdir()}
    assert names == {"page.html", "report.css", "report.js", *parts}
    assert (files("mercuric.studies.train") / "page.html").is_file()
