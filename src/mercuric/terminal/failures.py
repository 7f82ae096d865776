"""What does a person see when something goes wrong?"""

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import print_exception

import typer

from mercuric.errors import MercuricError
from mercuric.terminal.console import visible

INTERRUPTED = 130
TRACEBACK = "MERCURIC_TRACEBACK"
"""Where this variable is 1, what was raised is shown whole before its sentence: of one's own code, say."""
MISTAKES = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP)
"""What another argument mends."""


@contextmanager
def one_sentence(interrupted: str = "stopped") -> Iterator[None]:
    """Turn an expected failure into one sentence on the error stream and an exit code.

    2 for a user's mistake, 1 where the run itself failed, 130 after Ctrl-C.

    Args:
        interrupted: what Ctrl-C leaves behind.
    """
    try:
        with _plain_warnings():
            yield
    except KeyboardInterrupt:
        _stop(interrupted, INTERRUPTED)
    except BrokenPipeError:
        raise  # nobody reads on, as in ``| head``
    except MercuricError as error:
        if os.environ.get(TRACEBACK) == "1":
            print_exception(error)
        _stop(str(error), error.exit_code)
    except OSError as error:
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        in_the_way = error.errno == errno.EEXIST
        reason = f"{place}{error.strerror or error}{', and is no folder' if in_the_way else ''}"
        if error.errno in MISTAKES:
            _stop(reason, 2)
        _stop(f"{reason}; what was saved before is kept", 1)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """A warning is a line that steers no terminal, without the place in the code that a user didn't write."""
    before = warnings.formatwarning
    warnings.formatwarning = _warning
    try:
        yield
    finally:
        warnings.formatwarning = before


def _warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"warning: {visible(' '.join(str(message).split()))}\n"


def finish_output() -> None:
    """Write what is left of the output; where that can't be, say why, or nothing where nobody reads on."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # What is still waiting would fail again as the interpreter ends.
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            typer.echo(f"mercuric: standard output: {error.strerror}", err=True)
            raise SystemExit(1) from None


def _stop(sentence: str, code: int) -> None:
    typer.echo(f"mercuric: {visible(' '.join(sentence.split()))}", err=True)
    raise typer.Exit(code)
