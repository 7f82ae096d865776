"""Who else is told what a page shows, as it is written?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from mercuric.page.parts import Section

Listener = Callable[[Sequence[Section]], object]

_LISTENERS: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """In the block ``listener`` gets the sections of each page that is written."""
    before = _LISTENERS.set((*_LISTENERS.get(), listener))
    try:
        yield
    finally:
        _LISTENERS.reset(before)


def heard() -> bool:
    """Whether anybody listens, for whom it pays to make charts that no page has."""
    return bool(_LISTENERS.get())


def tell(sections: Sequence[Section]) -> None:
    """Tell all listeners what a page shows, or what is written beside one in Markdown."""
    for listener in _LISTENERS.get():
        listener(sections)
