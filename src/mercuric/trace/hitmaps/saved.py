"""Which saved Hitmaps are at this path?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mercuric.errors import MercuricError
from mercuric.trace.calls import KnownCalls, RunFacts
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolder
from mercuric.trace.layer_call import LayerCall


class Saved(Protocol):
    """Hitmaps on disk."""

    @property
    def about(self) -> HitmapAbout:
        """Where they come from."""
        ...

    @property
    def facts(self) -> RunFacts:
        """What is known of the calls."""
        ...

    def calls(self) -> Iterator[LayerCall]:
        """Every layer's call, one at a time."""
        ...


def open_hitmaps(path: Path) -> Saved:
    """A Parquet file's Hitmaps, or those of a folder of CSV files.

    Raises:
        MercuricError: there are no Hitmaps here.
    """
    if not path.exists():
        raise MercuricError(f"there are no Hitmaps at {path}")
    if path.is_dir():
        return HitmapFolder(path)
    # Takes pyarrow, which only who reads or writes Parquet waits for.
    from mercuric.trace.hitmaps.store import SavedHitmaps

    return SavedHitmaps(path)


def saved_calls(saved: Saved) -> KnownCalls:
    """The calls of saved Hitmaps."""
    return KnownCalls(saved.about.config, saved.calls(), saved.facts)
