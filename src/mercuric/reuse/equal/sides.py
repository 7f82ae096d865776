"""For how many lines and columns is an option of a function, which may be one number for both?"""

from typing import Any

Pair = tuple[int, int]


def pair(value: Any, dimensions: int, else_one: int) -> Pair:
    """An option for lines and columns.

    Args:
        value: as PyTorch takes it.
        dimensions: of the positions: 2, or 1 for a sequence, which is one line.
        else_one: the option for lines, of a sequence.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) == 1:
        values = values * dimensions
    return (else_one, *values)[-2:]
