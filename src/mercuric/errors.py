"""What goes wrong outside the program's own arguments (those raise ``ValueError``)."""


class MercuricError(Exception):
    """One clear sentence for the user.

    Attributes:
        exit_code: what the command line exits with: 2 where the user can mend it by another
            command or argument, 1 where the run itself failed (a full disk, a diverged loss).
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class MalformedError(MercuricError, ValueError):
    """A file, or text from one, that is not what it must be; its sentence names it."""


class Diverged(MercuricError, ValueError):  # noqa: N818 - what happened, as KeyboardInterrupt
    """A training whose loss is no longer finite."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=1)
