"""What is known of the classes of a map's positions?"""

from dataclasses import dataclass

from torch import Tensor

from mercuric.errors import ArgumentError

OUTSIDE = -1
"""The member of a class that lies outside the map, in the padding."""
MOST_POSITIONS = 2**31 - 1
"""Classes are int32, and each position may be one of its own."""


@dataclass(frozen=True)
class ClassTable:
    """Classes of the tuples at a map's positions, numbered as they first appear in raster order.

    Attributes:
        ids: int32, the class of each position.
        members: int32, (classes, length of a tuple): what a class's tuple holds, :data:`OUTSIDE` in the
            padding; (classes, 0) where tuples hold something else than int32.
        first: int64, (classes,): the flat position where each class first appears.
    """

    ids: Tensor
    members: Tensor
    first: Tensor

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.first)


def check_positions(name: str, count: int) -> None:
    """Refuse more positions than there can be classes.

    Args:
        name: of the argument that has them.
        count: how many.

    Raises:
        ValueError: there are too many.
    """
    if count > MOST_POSITIONS:
        raise ArgumentError(
            f"{name} had {count} positions, but must have at most {MOST_POSITIONS}: classes are int32"
        )
