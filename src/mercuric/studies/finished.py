"""Which study filled a folder, and how is its page written again?"""

import shlex
from pathlib import Path

from mercuric.errors import MercuricError
from mercuric.studies import study
from mercuric.studies.stored_command import stored_command


def write_page_again(folder: Path) -> Path:
    """Write the page of a finished folder from its files, and return its path.

    Raises:
        MercuricError: no study filled the folder, it has no page, or a file is missing or broken; names it.
        OSError: the page can't be written.
    """
    if not folder.is_dir():
        raise MercuricError(f"{folder} is not a run's folder: no such directory")
    command = stored_command(folder)
    filled = study.named(command) or study.marked(folder)
    write = filled.load_page()
    if write is None:
        raise MercuricError(f"{folder} was filled by mercuric {filled.name}, which makes no page")
    try:
        return write(folder, command or shlex.join(["mercuric", "report", folder.resolve().name]))
    except FileNotFoundError as error:
        raise MercuricError(f"{error.filename} is missing: {folder} is not finished") from None
    except MercuricError:
        raise
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:300]
        raise MercuricError(f"{folder} is broken: {type(error).__name__}, {reason}") from None


_BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError)
"""What is raised where files were changed by hand, and lack what the page shows."""
