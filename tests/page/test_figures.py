"""Are a page's charts and tables files that a paper can take?"""

import csv
import re
from math import nan
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from mercuric.cli.figures import exported
from mercuric.page import formats
from mercuric.page.chart import Picture, figure
from mercuric.page.figures import write_figure, write_figures, write_table
from mercuric.page.listeners import tell, telling
from mercuric.page.parts import Folded, Paragraph, Section, Side
from mercuric.page.table import SortableTable, numbers, words
from mercuric.page.table_text import latex

SVG = "{http://www.w3.org/2000/svg}"
TABLE = SortableTable(
    [
        words("layer", ["conv_1", "[a] & 50 %"], "as in the network"),
        numbers("cycles", [1500, nan], formats.count),
    ],
    "All layers",
)


def picture(identity: str = "drawn") -> Picture:
    chart = figure(330, "layer", "cycles")
    chart.add_bar(x=["$a$", "b"], y=[1, 2], name="one")
    chart.add_bar(x=["$a$", "b"], y=[3, 4], name="two")
    return Picture(identity, "Cycles by layer", "Less is better.", chart)


def test_a_chart_is_text_paths_and_pixels(tmp_path: Path) -> None:
    svg, pdf, png = write_figure(picture(), tmp_path / "a.b", ("svg", "pdf", "png"))
    assert [path.name for path in (svg, pdf, png)] == ["a.b.svg", "a.b.pdf", "a.b.png"]
    drawn = ElementTree.parse(svg).getroot()  # noqa: S314 - ours
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"$a$", "b", "layer", "cycles", "one", "two"} <= set(texts)
    assert drawn.findtext(f"{SVG}title") == "Cycles by layer"
    assert "Less is better." in svg.read_text()
    assert len(re.findall("fill: #(1f7fc4|c9772b)", svg.read_text())) == 6, "four bars and the legend's two"
    assert b"/Type42" in pdf.read_bytes() or b"/CIDFontType2" in pdf.read_bytes()
    with Image.open(png) as read:
        assert read.width == round(3.4 * 300)
        assert read.info["Title"] == "Cycles by layer"
        assert read.getpixel((2, read.height - 2))[:3] == (255, 255, 255)  # type: ignore[index]


def test_the_same_chart_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_figure(picture(), tmp_path / name, ("svg", "pdf", "png")) for name in "ab")
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert not re.search(r"20\d\d-\d\d-\d\d|CreationDate", one[0].read_text() + one[1].read_text("latin1"))


def test_a_table_is_csv_with_its_numbers_and_latex(tmp_path: Path) -> None:
    as_csv, as_latex = write_table(TABLE, tmp_path / "layers")
    assert list(csv.reader(as_csv.read_text().splitlines())) == [
        ["layer", "cycles", "cycles (number)"], ["conv_1", "1.50 k", "1500"],
        ["[a] & 50 %", formats.MISSING, ""],
    ]  # fmt: skip
    assert as_latex.read_text().splitlines() == [
        r"% needs \usepackage{booktabs}", "% All layers", "% layer: as in the network",
        r"\begin{tabular}{lr}", r"\toprule", r"layer & cycles \\", r"\midrule",
        r"conv\_1 & 1.50 k \\", r"{}[a] \& 50 \% & -- \\", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip


def test_latex_sets_text_as_it_is() -> None:
    assert latex(r"a\b{c}~^<>|#") == (
        r"a\textbackslash{}b\{c\}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}\#"
    )
    assert (
        latex("--equal, \N{MINUS SIGN}1.2 ± 0.1, 3\N{MULTIPLICATION SIGN}3")
        == r"-{}-equal, $-$1.2 $\pm$ 0.1, 3$\times$3"
    )


def test_every_part_is_found_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    untitled = SortableTable([words("x", ["1"])])
    sections = [
        Section("one", "One", [Side([picture("Fig. 1"), picture("fig-2")]), Paragraph("text"), TABLE, TABLE]),
        Section("two", "Two", [Folded("All the changes", untitled), untitled]),
    ]
    charts = {f"{name}.{kind}" for name in ("fig.-1", "fig-2") for kind in ("svg", "pdf", "png")}
    names = ("one-all-layers", "one-all-layers-2", "two-all-the-changes", "two")
    tables = {f"{name}.{kind}" for name in names for kind in ("csv", "tex")}
    assert {path.name for path in write_figures(sections, tmp_path / "new" / "paper")} == charts | tables
    assert {path.name for path in (tmp_path / "new" / "paper").iterdir()} == charts | tables


def test_listeners_are_told_in_their_block_alone() -> None:
    told: list[Section] = []
    section = Section("one", "One", [])
    with telling(lambda sections, _page: told.extend(sections)):
        tell([section])
    tell([section])
    assert told == [section]


def test_a_page_that_is_written_again_has_its_last_charts_alone(tmp_path: Path) -> None:
    first, last = Section("one", "One", [TABLE]), Section("one", "One", [picture("Fig. 1"), TABLE])
    with exported(tmp_path):
        tell([first], tmp_path / "report.html")
        tell([Section("two", "Two", [TABLE])])
        tell([last], tmp_path / "report.html")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"fig.-1.svg", "one-all-layers.csv", "two-all-layers.csv"} <= names
    assert not any("-2" in name for name in names)


def test_a_part_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    class Movie:
        template = "movie.html"

    with pytest.raises(AttributeError, match="parts"):
        write_figures([Section("one", "One", [Movie()])], tmp_path)  # type: ignore[list-item]
