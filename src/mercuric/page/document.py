"""How is a template filled and written as one page that loads nothing?"""

import html
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from mercuric.errors import MercuricError
from mercuric.files.writing import write_text


def write_page(target: Path, body: str, *, title: str, **parts: str) -> None:
    """Fill ``document.html`` and the body that it frames, and write the page whole or not at all.

    Args:
        target: the page.
        body: a file beside this one.
        title: of the window, as HTML.
        parts: what the body's names stand for, as HTML.

    Raises:
        MercuricError: it can't be written.
    """
    page = Template(_asset("document.html")).substitute(
        title=title,
        style=_asset("report.css"),
        body=Template(_asset(body)).substitute(parts).rstrip("\n"),
        plotly=get_plotlyjs(),
        script=_asset("report.js"),
    )
    try:
        write_text(target, page)
    except OSError as error:
        raise MercuricError(f"{target} cannot be written: {error.strerror}", exit_code=1) from error


def definitions(entries: list[tuple[str, str]]) -> str:
    """Terms and what they mean, as the rows of a definition list."""
    return "\n".join(
        f"<div><dt>{html.escape(term)}</dt><dd>{html.escape(text)}</dd></div>" for term, text in entries
    )


def section(identity: str, title: str, content: str) -> str:
    """A part of the page under its heading; ``content`` is HTML."""
    return f'<section id="{identity}">\n<h2>{html.escape(title)}</h2>\n{content}\n</section>'


def _asset(name: str) -> str:
    return (files("mercuric.page") / name).read_text(encoding="utf-8")
