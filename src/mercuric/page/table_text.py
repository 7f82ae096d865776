"""How is a table written as CSV, and as LaTeX?"""

import csv
import io
import re

from mercuric.page.table import SortableTable

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textasciigrave{}", '"': r"\textquotedbl{}",
    "--": "-{}-", "\N{EN DASH}": "--", "\N{MINUS SIGN}": "$-$", "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$", "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}", "\N{NO-BREAK SPACE}": "~", "\N{MICRO SIGN}": r"\textmu{}",
    "\N{SUPERSCRIPT TWO}": r"\textsuperscript{2}",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, sorted(_LATEX, key=len, reverse=True))))


def csv_text(table: SortableTable) -> str:
    """The cells as they are written and, in a column of its own, the number that a column sorts by."""
    columns: list[list[str]] = []
    for column in table.columns:
        columns.append([column.name, *(cell.text for cell in column.cells)])
        if column.kind == "number":
            columns.append([f"{column.name} (number)", *(cell.key for cell in column.cells)])
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(zip(*columns, strict=True))
    return written.getvalue()


def latex_text(table: SortableTable) -> str:
    r"""A ``tabular`` with the rules of booktabs, under a comment that says what it and its columns are."""
    said = ["needs \\usepackage{booktabs}", table.title]
    said += [f"{column.name}: {column.meaning}" for column in table.columns if column.meaning]
    kinds = "".join("r" if column.kind == "number" else "l" for column in table.columns)
    return "\n".join(
        [
            *(f"% {' '.join(line.split())}" for line in said if line),
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\toprule",
            _row([column.name for column in table.columns]),
            r"\midrule",
            *(_row([cell.text for cell in row]) for row in table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def latex(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return _SPECIAL.sub(lambda found: _LATEX[found[0]], text)


def _row(cells: list[str]) -> str:
    line = " & ".join(map(latex, cells))
    # After a row's end LaTeX would read a bracket as that row's distance.
    return (f"{{}}{line}" if line.lstrip().startswith(("[", "*")) else line) + r" \\"
