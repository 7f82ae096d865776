"""How are cells written as a table of Markdown?"""

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: Iterable[bool]) -> str:
    """A table that GitHub draws; bars and new lines in cells are no part of its form.

    Args:
        heads: over the columns.
        rows: cells as long as ``heads``.
        left: whether a column holds words, which begin on the left; figures end on the right.

    Returns:
        the lines, the last one ended.
    """
    rule = ["---" if words else "--:" for words in left]
    return "".join(f"| {' | '.join(map(_inside, cells))} |\n" for cells in (heads, rule, *rows))


def _inside(cell: str) -> str:
    return " ".join(cell.replace("|", "\\|").split("\n"))
