"""The command ``mercuric``."""

import sys

from mercuric.extras import MissingPackage, needed_for


def main() -> None:
    """Run the command line; a light install says what it lacks and exits with 2."""
    try:
        with needed_for("the command line"):
            from mercuric.cli import app
    except MissingPackage as error:
        sys.stderr.write(f"mercuric: {error}\n")
        sys.exit(error.exit_code)
    app.main()


__all__ = ["main"]
