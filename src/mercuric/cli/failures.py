"""What does a person see when something goes wrong?"""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from mercuric.errors import MercuricError

INTERRUPTED = 130


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn an expected failure into one sentence on the error stream and an exit code.

    2 for a user's mistake, 1 where the run itself failed, 130 after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        _stop(
            "stopped; what was saved is kept, and the same command with --resume goes on from it", INTERRUPTED
        )
    except MercuricError as error:
        _stop(str(error), error.exit_code)
    except ValueError as error:
        _stop(str(error), 2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _stop(f"{place}{error.strerror or error}; what was saved before is kept", 1)


def _stop(sentence: str, code: int) -> None:
    Console(stderr=True, soft_wrap=True).print(f"mercuric: {sentence}", markup=False, highlight=False)
    raise typer.Exit(code)
