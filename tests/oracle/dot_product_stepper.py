"""What does a PE that works alone on a vector of one row do in each cycle? (paper III-B2, III-C3)"""

from collections import deque
from collections.abc import Sequence

from oracle.processing_element import Arithmetic, Row


class DotProducts:
    """A PE's multiplier and adder on one input and one weight vector after the other (Fig. 8).

    Attributes:
        result: what has left the adder and was not taken yet.
    """

    def __init__(self, row: Row, filters: Sequence[Row], *, pipelined: bool, mac_unit: bool) -> None:
        self._arithmetic = Arithmetic()
        self._row, self._filters = row, deque(filters)
        self._pipelined, self._mac_unit = pipelined, mac_unit
        self._weights: Row = ()
        self._position = len(row)
        self._product: tuple[int, bool, bool] | None = None
        self._sum = 0
        self._row_sum: int | None = None
        self.result: int | None = None

    @property
    def _underway(self) -> bool:
        return any(value is not None for value in (self._product, self._row_sum, self.result))

    @property
    def finished(self) -> bool:
        """Whether the last result has been taken."""
        return not self._filters and self._position == len(self._row) and not self._underway

    def step(self, cycle: int) -> None:
        """One cycle; a pipelined row sum passes the adder once, while ORg takes the next first product."""
        if self._row_sum is not None:
            self.result = self._arithmetic.add(cycle, self._row_sum, 0)
            self._row_sum = None
        if self._mac_unit:
            self._multiply(cycle)
            self._accumulate(cycle)
        else:
            self._accumulate(cycle)
            self._multiply(cycle)

    def _multiply(self, cycle: int) -> None:
        if self._position == len(self._row):
            if not self._filters or (self._underway and not self._pipelined):
                return
            self._weights, self._position = self._filters.popleft(), 0
        first, last = self._position == 0, self._position == len(self._row) - 1
        product = self._arithmetic.multiply(cycle, self._row[self._position], self._weights[self._position])
        self._product = product, first, last
        self._position += 1

    def _accumulate(self, cycle: int) -> None:
        if self._product is None:
            return
        product, first, last = self._product
        self._product = None
        self._sum = product if first else self._arithmetic.add(cycle, self._sum, product)
        if last and self._pipelined:
            self._row_sum = self._sum
        elif last:
            self.result = self._sum
