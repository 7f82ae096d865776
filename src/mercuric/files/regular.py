"""Is a path a regular file, which ends, or a pipe or device, which may be waited for without end?"""

import stat
from pathlib import Path

from mercuric.errors import MercuricError

_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


def irregular(mode: int) -> str | None:
    """``"a folder"``, ``"a pipe"``, ``"a device"``, ``"a socket"``; None for a regular file's mode."""
    return next((name for is_kind, name in _KINDS.items() if is_kind(mode)), None)


def require_regular(path: Path, what: str) -> None:
    """Refuse what is there and no regular file, before it is opened.

    Args:
        path: of the file; one that isn't there is left to whoever opens it.
        what: what it must be, with its article.

    Raises:
        MercuricError: names the path and what it is.
    """
    try:
        kind = irregular(path.stat().st_mode)
    except (OSError, ValueError):
        return
    if kind is not None:
        raise MercuricError(f"{path} is {kind}, but must be {what}, a file of its own")
