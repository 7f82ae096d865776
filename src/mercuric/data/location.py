"""Where do data sets lie?"""

import os
from pathlib import Path


def data_root() -> Path:
    """The folder of all data sets: ``$MERCURIC_DATA``, or else ``~/.cache/mercuric/data``."""
    chosen = os.environ.get("MERCURIC_DATA")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "mercuric" / "data"
