"""Is a table of Markdown one, whatever its cells hold?"""

import re

from hypothesis import given
from hypothesis import strategies as st

from mercuric.files.markdown import markdown_table

cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.just("|"))


def test_words_begin_on_the_left_and_figures_end_on_the_right() -> None:
    assert markdown_table(["network", "hits"], [["VGG13", "56 %"]], [True, False]) == (
        "| network | hits |\n| --- | --: |\n| VGG13 | 56 % |\n"
    )


@given(st.lists(st.tuples(cells, cells, cells | st.just("two\nlines"))))
def test_no_cell_is_more_than_one(rows: list[tuple[str, str, str]]) -> None:
    lines = markdown_table(["a", "b", "c"], rows, [True, False, True]).split("\n")[2:-1]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        there = re.split(r"(?<!\\)\|", line)[1:-1]
        assert [cell[1:-1].replace("\\|", "|") for cell in there] == [cell.replace("\n", " ") for cell in row]
