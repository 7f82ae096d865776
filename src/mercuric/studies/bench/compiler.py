"""Does ``torch.compile`` work on this machine?"""

import warnings
from functools import cache

import torch

from mercuric.errors import MercuricError

_FAILS = "torch.compile doesn't work here; it needs a C++ compiler"


@cache
def compiler_works() -> bool:
    """Whether ``torch.compile`` does here; a warning says that it doesn't, once."""
    if not _compiles():
        warnings.warn(f"{_FAILS}: nothing is timed compiled", stacklevel=2)
        return False
    return True


def require_compiler(asked: bool) -> bool:
    """Whether compiling was asked for.

    Raises:
        MercuricError: it was, and doesn't work here.
    """
    if asked and not _compiles():
        raise MercuricError(f"--compile was given, but {_FAILS}")
    return asked


@cache
def _compiles() -> bool:
    try:
        torch.compile(torch.sin)(torch.zeros(2))
    except (RuntimeError, OSError, ImportError):
        return False
    return True
