"""How wide is what a command prints?"""

import os

from rich.console import Console

WIDE = 140
"""Characters a line of a file or a pipe, which no window cuts off."""


def output() -> Console:
    """Standard output, as wide as its window, or as ``COLUMNS`` says."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=WIDE)
