"""Which saved Hitmaps are at this path?"""

from pathlib import Path
from typing import TYPE_CHECKING

from mercuric.errors import MercuricError
from mercuric.trace.calls import KnownCalls
from mercuric.trace.hitmaps.folder import HitmapFolder

if TYPE_CHECKING:
    from mercuric.trace.hitmaps.store import SavedHitmaps


def open_hitmaps(path: Path) -> "HitmapFolder | SavedHitmaps":
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


def saved_calls(saved: "HitmapFolder | SavedHitmaps") -> KnownCalls:
    """The calls of saved Hitmaps."""
    return KnownCalls(saved.about.config, saved.calls(), saved.facts)
