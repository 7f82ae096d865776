"""What does a person see when something goes wrong?"""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mercuric.errors import MercuricError

INTERRUPTED = 130
MISTAKES = (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


@contextmanager
def one_sentence(interrupted: str = "stopped") -> Iterator[None]:
    """Turn an expected failure into one sentence on the error stream and an exit code.

    2 for a user's mistake, 1 where the run itself failed, 130 after Ctrl-C.

    Args:
        interrupted: what Ctrl-C leaves behind.
    """
    try:
        yield
    except KeyboardInterrupt:
        _stop(interrupted, INTERRUPTED)
    except MercuricError as error:
        _stop(str(error), error.exit_code)
    except ValueError as error:
        _stop(str(error), 2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        reason = f"{place}{error.strerror or error}"
        if isinstance(error, MISTAKES):
            _stop(reason, 2)
        _stop(f"{reason}; what was saved before is kept", 1)


def _stop(sentence: str, code: int) -> None:
    typer.echo(f"mercuric: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(code)
