"""What does a PE do in each cycle? (paper III-B2, Fig. 8)

Registers change at the end of a cycle: what one cycle latches, the next one reads. The PEs of a
set are therefore stepped from the last to the first, so that each still sees its upper
neighbour's registers of the cycle before.
"""

from collections.abc import Sequence

Row = Sequence[int]


class Arithmetic:
    """One multiplier and one adder, each doing at most one operation a cycle."""

    def __init__(self) -> None:
        self._multiplied_in = 0
        self._added_in = 0

    def multiply(self, cycle: int, left: int, right: int) -> int:
        """The product; RuntimeError where the multiplier has already worked in this cycle."""
        if self._multiplied_in == cycle:
            raise RuntimeError(f"two multiplications in cycle {cycle} of one PE, but it has one multiplier")
        self._multiplied_in = cycle
        return left * right

    def add(self, cycle: int, left: int, right: int) -> int:
        """The sum; RuntimeError where the adder has already worked in this cycle."""
        if self._added_in == cycle:
            raise RuntimeError(f"two additions in cycle {cycle} of one PE, but it has one adder")
        self._added_in = cycle
        return left + right


class PlainPE:
    """A PE that finishes a dot product before it starts the next (Fig. 8a).

    A MAC unit adds a product in the cycle that multiplies it.

    Attributes:
        total: its row's sum plus those of the rows above, once known.
    """

    def __init__(self, row: Row, weights: Row, above: "PlainPE | None", mac_unit: bool = False) -> None:
        self._arithmetic = Arithmetic()
        self._row, self._weights = row, weights
        self._above = above
        self._mac_unit = mac_unit
        self._multiplied = self._accumulated = 0
        self._product: int | None = None
        self._sum = 0
        self.total: int | None = None

    @property
    def _row_summed(self) -> bool:
        return self._accumulated == len(self._row)

    def step(self, cycle: int) -> None:
        """One cycle: add the product latched before, or the sum from above; multiply the next element."""
        if self._product is not None:
            self._accumulate(cycle, self._product)
        elif self._row_summed and self.total is None and self._above and self._above.total is not None:
            self.total = self._arithmetic.add(cycle, self._sum, self._above.total)
        if self._multiplied < len(self._row):
            element, weight = self._row[self._multiplied], self._weights[self._multiplied]
            self._product = self._arithmetic.multiply(cycle, element, weight)
            self._multiplied += 1
            if self._mac_unit:
                self._accumulate(cycle, self._product)

    def _accumulate(self, cycle: int, product: int) -> None:
        self._sum = self._arithmetic.add(cycle, self._sum, product)
        self._product = None
        self._accumulated += 1
        if self._row_summed and self._above is None:
            self.total = self._sum


class PipelinedPE:
    """A PE that starts a dot product while the last one is still being summed (Fig. 8b).

    The first product waits in ORg, which frees the adder for one cycle: in it the finished row
    sum is added to the sum from above and passed on. The first PE adds the partial sum that the
    array was given, here 0. A MAC unit adds the other products in the cycle that multiplies them.

    Attributes:
        started: the (window, filter) whose row it began in the last cycle.
        passed: the sum it passed on in the last cycle.
    """

    def __init__(self, index: int, above: "PipelinedPE | None", mac_unit: bool = False) -> None:
        self._arithmetic = Arithmetic()
        self._index = index
        self._above = above
        self._mac_unit = mac_unit
        self._row: Row = ()
        self._weights: Row = ()
        self._position = 0
        self._product: tuple[int, bool, bool] | None = None
        self._overlapped = 0
        self._row_sum: int | None = None
        self.started: tuple[Sequence[Row], Sequence[Row]] | None = None
        self.passed: int | None = None

    @property
    def multiplying(self) -> bool:
        """Whether elements of its row are left to multiply."""
        return self._position < len(self._row)

    def step(self, cycle: int, start: tuple[Sequence[Row], Sequence[Row]] | None) -> None:
        """One cycle.

        Args:
            cycle: its number, from 1.
            start: a window and a filter to begin now; other PEs than the first take the one that
                the PE above began a cycle ago.
        """
        self._pass_on(cycle)
        self._accumulate(cycle)
        self.started = self._above.started if self._above is not None else start
        if self.started is not None:
            if self.multiplying:
                raise RuntimeError(f"a dot product started in cycle {cycle} before the last was multiplied")
            window, weights = self.started
            self._row, self._weights, self._position = window[self._index], weights[self._index], 0
        if self.multiplying:
            first, last = self._position == 0, self._position == len(self._row) - 1
            element, weight = self._row[self._position], self._weights[self._position]
            self._product = (self._arithmetic.multiply(cycle, element, weight), first, last)
            self._position += 1
            if self._mac_unit:
                self._accumulate(cycle)

    def _pass_on(self, cycle: int) -> None:
        self.passed = None
        if self._row_sum is None:
            return
        incoming = self._above.passed if self._above is not None else 0
        if incoming is None:
            raise RuntimeError(
                f"PE {self._index + 1} had its row's sum in cycle {cycle}, but none came from above"
            )
        self.passed = self._arithmetic.add(cycle, self._row_sum, incoming)
        self._row_sum = None

    def _accumulate(self, cycle: int) -> None:
        if self._product is None:
            return
        product, first, last = self._product
        self._product = None
        self._overlapped = product if first else self._arithmetic.add(cycle, self._overlapped, product)
        if last:
            self._row_sum = self._overlapped
