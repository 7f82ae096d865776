"""The command ``mercuric``."""

from mercuric.cli.app import main

__all__ = ["main"]
