"""Is a path a regular file, which ends, or a pipe or device, which may be waited for without end?"""

import stat
from pathlib import Path

from mercuric.errors import MercuricError

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def other_kind(path: Path) -> str | None:
    """``"a named pipe"`` and the like; None where ``path`` is a regular file, or a link to one.

    Raises:
        OSError: there is no such file, or it can't be asked.
    """
    mode = path.stat().st_mode
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no file")


def require_regular(path: Path, what: str) -> None:
    """Refuse what is there and no regular file, before it is opened.

    Args:
        path: of the file; one that isn't there is left to whoever opens it.
        what: what it must be, with its article.

    Raises:
        MercuricError: names the path and what it is.
    """
    try:
        kind = other_kind(path)
    except OSError:
        return
    if kind is not None:
        raise MercuricError(f"{path} is {kind}, but must be {what}, a file of its own")
