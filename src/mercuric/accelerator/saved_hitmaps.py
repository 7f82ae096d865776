"""Which saved Hitmaps are at this path, and can this accelerator be counted from them?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pandas as pd

from mercuric.accelerator.hardware import Accelerator
from mercuric.accelerator.hitmap_about import HitmapAbout
from mercuric.accelerator.hitmap_folder import HitmapFolder
from mercuric.accelerator.layer_call import LayerCall
from mercuric.errors import MercuricError

_ENTRY_ID_FIELDS = {"late_hits": "ready", "arrival": "raster", "insertion_queue": None}
"""What needs more of a Hitmap than HIT or miss, unless it has this value."""


class Saved(Protocol):
    """Hitmaps on disk."""

    @property
    def about(self) -> HitmapAbout:
        """Where they come from."""
        ...

    @property
    def counts(self) -> pd.DataFrame | None:
        """A layer a row: what its calls can't tell of HIT, MAU, MNU, zero and zero_hits; None: nothing."""
        ...

    def calls(self) -> Iterator[LayerCall]:
        """Every layer's call, one at a time."""
        ...


def open_hitmaps(path: Path, accelerator: Accelerator) -> Saved:
    """A Parquet file's Hitmaps, or those of a folder of CSV files.

    Raises:
        ValueError: CSV files, and an accelerator that asks for entry ids.
        MercuricError: there are no Hitmaps here.
    """
    if path.is_dir():
        require_no_entry_ids(path, accelerator)
        return HitmapFolder(path)
    if not path.exists():
        raise MercuricError(f"there are no Hitmaps at {path}")
    try:
        from mercuric.accelerator.hitmap_store import SavedHitmaps
    except ModuleNotFoundError as error:
        raise MercuricError(f"reading {path} needs pyarrow ({error}): pip install pyarrow") from None
    return SavedHitmaps(path)


def require_no_entry_ids(path: Path, accelerator: Accelerator) -> None:
    """Refuse an accelerator whose cycles depend on which result a HIT reuses.

    Raises:
        ValueError: names the field.
    """
    for name, plain in _ENTRY_ID_FIELDS.items():
        value = getattr(accelerator, name)
        if value != plain:
            raise ValueError(
                f"{name} of accelerator {accelerator.name!r} was {value!r}, but the CSV files in {path} hold "
                f"no entry ids, so it must be {plain!r}; save the Hitmaps as Parquet"
            )
