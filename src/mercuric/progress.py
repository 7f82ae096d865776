"""How does long work tell how far it is?"""

from typing import Protocol


class Progress(Protocol):
    """Called as long work goes on; it draws a bar, sends a message, or does nothing."""

    def __call__(self, done: int, total: int, what: str = "", bar: str = "", /) -> object:
        """Tell how far the work is.

        Args:
            done: parts done.
            total: parts in all.
            what: what comes next, or how it goes.
            bar: which of several works that go on side by side.
        """


def silent(_done: int, _total: int, _what: str = "", _bar: str = "", /) -> None:
    """Progress that nobody watches."""


def named(progress: Progress, what: str = "", bar: str = "") -> Progress:
    """``progress`` for work that doesn't name itself: ``what`` and ``bar`` stand where it says nothing."""

    def tell(done: int, total: int, said: str = "", of: str = "", /) -> object:
        return progress(done, total, said or what, of or bar)

    return tell
