import ast

import hypothesis.strategies as st
import scipy.stats
from hypothesis import given

from mercuric.data.docstring_blocks import Code, Heading, Paragraph, Table, blocks

TEXT = """\
Bin data along an axis.

Longer text that goes on
in the next line, of :func:`histogram`.

Parameters
----------
values : array_like
    What is *counted*.

    .. code that follows::

        edges = 3
          deeper

    - first item of a list
      goes on
    - second

===== ======
Name  Counts
===== ======
left  3
right
===== ======

+---+----+
| a | b  |
+===+====+
| 1 | 22 |
+---+----+

>>> bins(4)
array([4])
"""


def test_every_kind_of_block_is_found() -> None:
    assert list(blocks(TEXT)) == [
        Paragraph("Bin data along an axis."),
        Paragraph("Longer text that goes on in the next line, of histogram."),
        Heading("Parameters"),
        Paragraph("values : array_like", 0, strong=True),
        Paragraph("What is *counted*.", 4),
        Paragraph(".. code that follows::", 4),
        Code(("edges = 3", "  deeper")),
        Paragraph("- first item of a list goes on", 4),
        Paragraph("- second", 4),
        Table((("Name", "Counts"), ("left", "3"), ("right", ""))),
        Table((("a", "b"), ("1", "22"))),
        Code((">>> bins(4)", "array([4])")),
    ]


def test_a_block_of_code_that_is_missing_is_none() -> None:
    assert list(blocks("Follows::\n\nnothing")) == [Paragraph("Follows::"), Paragraph("nothing")]


@given(st.text(st.sampled_from("ab:-=+|> \n\t*1."), max_size=80))
def test_whatever_is_written_ends_and_loses_no_letter(text: str) -> None:
    def letters(of: str) -> str:
        return "".join(letter for letter in of if letter in "ab")

    found = []
    for block in blocks(text):
        match block:
            case Heading(words) | Paragraph(words):
                found.append(words)
            case Code(lines):
                found.extend(lines)
            case Table(rows):
                found.extend(cell for row in rows for cell in row)
    tables = any(isinstance(block, Table) for block in blocks(text))
    kept = letters("".join(found))
    assert kept == letters(text) or (tables and len(kept) <= len(letters(text)))


def test_a_real_docstring_has_its_sections() -> None:
    text = ast.get_docstring(ast.parse(f'def f():\n    """{scipy.stats.ttest_ind.__doc__}"""').body[0])  # type: ignore[arg-type]
    assert text is not None
    headings = [block.text for block in blocks(text) if isinstance(block, Heading)]
    assert {"Parameters", "Returns", "Examples"} <= set(headings)
