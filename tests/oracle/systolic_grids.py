"""What does each PE of a systolic array do in a cycle?

Registers change at the end of a cycle: a PE reads what its left and upper neighbours latched in the cycle
before. Every value carries the fold it belongs to, so that a schedule which mixes two folds is found out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """A value on its way through the array.

    Attributes:
        fold: number of its fold.
        index: its place in the fold's stream.
        value: what is multiplied, or the sum so far.
        last: whether it ends its fold's stream.
    """

    fold: int
    index: int
    value: int
    last: bool = False


@dataclass(frozen=True)
class Result:
    """What leaves a column of PEs: the fold, the place in the stream (or the row of PEs), the sum."""

    column: int
    fold: int
    index: int
    value: int


Edge = Mapping[int, Token]
"""What enters the array in a cycle: by row on the left edge, by column on the top edge."""


class Grid(Protocol):
    """The PEs."""

    def step(self, left: Edge, top: Edge) -> list[Result]:
        """Do one cycle; what left the array in it."""


class StationaryGrid:
    """One operand sits in the PEs, the other enters from the left, sums leave at the bottom.

    The stationary operand shifts down a chain of second registers from the top edge. A PE takes it over
    when the first element of its fold arrives, and keeps it until the next fold's first value, which a
    valid bit goes with, is right above.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self._second: list[list[Token | None]] = _empty(rows, columns)
        self._held: list[list[Token | None]] = _empty(rows, columns)
        self._moving: list[list[Token | None]] = _empty(rows, columns)
        self._sums: list[list[Token | None]] = _empty(rows, columns)

    def step(self, left: Edge, top: Edge) -> list[Result]:
        moving, sums = _empty(self._rows, self._columns), _empty(self._rows, self._columns)
        for row in range(self._rows):
            for column in range(self._columns):
                token = self._moving[row][column - 1] if column else left.get(row)
                if token is not None:
                    moving[row][column] = token
                    sums[row][column] = self._multiplied(row, column, token)
        self._moving, self._sums = moving, sums
        self._shift(top)
        leaving = enumerate(sums[-1])
        return [Result(column, sum_.fold, sum_.index, sum_.value) for column, sum_ in leaving if sum_]

    def _multiplied(self, row: int, column: int, token: Token) -> Token:
        held = self._held[row][column]
        if held is None or held.fold != token.fold:
            held = self._held[row][column] = self._second[row][column]
        above = self._sums[row - 1][column] if row else Token(token.fold, token.index, 0)
        if held is None or above is None or not held.fold == token.fold == above.fold:
            raise RuntimeError(f"fold {token.fold} streamed into PE {row}, {column} before it was loaded")
        if above.index != token.index:
            raise RuntimeError(f"PE {row}, {column} got sum {above.index} with element {token.index}")
        return Token(token.fold, token.index, above.value + held.value * token.value)

    def _shift(self, top: Edge) -> None:
        for column, token in top.items():
            for row in range(self._rows - 1, 0, -1):
                above = self._second[row - 1][column]
                if above is not None and above.fold == token.fold:
                    self._second[row][column] = above
            self._second[0][column] = token


class AccumulatingGrid:
    """Each PE sums up the products of what passes it from the left and from above.

    A finished sum leaves in the same cycle, over its column's only wire.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self._right: list[list[Token | None]] = _empty(rows, columns)
        self._down: list[list[Token | None]] = _empty(rows, columns)
        self._sums: list[list[Token | None]] = _empty(rows, columns)

    def step(self, left: Edge, top: Edge) -> list[Result]:
        right, down = _empty(self._rows, self._columns), _empty(self._rows, self._columns)
        leaving: dict[int, Result] = {}
        for row in range(self._rows):
            for column in range(self._columns):
                one = self._right[row][column - 1] if column else left.get(row)
                other = self._down[row - 1][column] if row else top.get(column)
                right[row][column], down[row][column] = one, other
                total = self._added(row, column, one, other)
                if total is None or one is None or not one.last:
                    continue
                if column in leaving:
                    raise RuntimeError(f"two results left column {column} in one cycle, but it has one wire")
                leaving[column] = Result(column, total.fold, row, total.value)
        self._right, self._down = right, down
        return list(leaving.values())

    def _added(self, row: int, column: int, one: Token | None, other: Token | None) -> Token | None:
        if one is None and other is None:
            return None
        if one is None or other is None or (one.fold, one.index) != (other.fold, other.index):
            raise RuntimeError(f"PE {row}, {column} got operands that do not belong together")
        before = self._sums[row][column]
        if one.index and (before is None or (before.fold, before.index) != (one.fold, one.index - 1)):
            raise RuntimeError(f"PE {row}, {column} lost the sum of fold {one.fold}")
        carried = before.value if before is not None and one.index else 0
        total = self._sums[row][column] = Token(one.fold, one.index, carried + one.value * other.value)
        return total


def _empty(rows: int, columns: int) -> list[list[Token | None]]:
    return [[None] * columns for _ in range(rows)]
