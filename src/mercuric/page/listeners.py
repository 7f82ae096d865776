"""Who else is told what a page shows, as it is written?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from mercuric.page.parts import Section

Listener = Callable[[Sequence[Section], Path | None], object]

_LISTENERS: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """In the block ``listener`` gets the sections of each page that is written, and its file."""
    before = _LISTENERS.set((*_LISTENERS.get(), listener))
    try:
        yield
    finally:
        _LISTENERS.reset(before)


def heard() -> bool:
    """Whether anybody listens, for whom it pays to make charts that no page has."""
    return bool(_LISTENERS.get())


def tell(sections: Sequence[Section], page: Path | None = None) -> None:
    """Tell all listeners what a page shows, or what is written beside one in Markdown.

    Args:
        sections: what is shown.
        page: the page's file, which may be written again and again; None: it is in none.
    """
    for listener in _LISTENERS.get():
        listener(sections, page)
