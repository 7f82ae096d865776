"""``--figures DIR``: charts and tables as files for a paper, of every command that shows some."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mercuric.errors import MercuricError
from mercuric.page.listeners import telling
from mercuric.page.parts import Section

Figures = Annotated[
    Path | None,
    typer.Option(help="Also write charts (SVG, PDF, PNG) and tables (CSV, LaTeX) into this folder."),
]


@contextmanager
def exported(folder: Path | None) -> Iterator[None]:
    """Write charts and tables that are shown in the block into ``folder``, if there is one.

    Raises:
        MercuricError: it is no folder or can't be written, which is said before any work, or no page was
            written.
    """
    if folder is None:
        yield
        return
    _require_place(folder)
    told: dict[object, Sequence[Section]] = {}

    def keep(sections: Sequence[Section], page: Path | None) -> None:
        # A page that is written again is the same page, with more in it.
        told[object() if page is None else page] = sections

    with telling(keep):
        yield
    if not told:
        raise MercuricError(f"figures was {folder}, but no page was written, whose charts it could have")
    from mercuric.page.figures import write_figures

    written = write_figures([section for sections in told.values() for section in sections], folder)
    typer.echo(f"Figures: {len(written)} files in {folder}", err=True)


def _require_place(folder: Path) -> None:
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise MercuricError(f"figures was {folder}, but must be a folder: {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise MercuricError(f"figures was {folder}, but {nearest} cannot be written")
