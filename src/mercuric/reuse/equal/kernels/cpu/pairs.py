"""Which products do classes of windows share, that are no window of another?

A convolution adds up a product a tap, and it is the same wherever the same row meets the same tap. Each
distinct pair of a tap and a row is multiplied once; windows add up what their pairs gave.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from mercuric.reuse.equal.kernels.cpu import moves
from mercuric.reuse.equal.kernels.cpu.operands import flat
from mercuric.reuse.equal.kernels.cpu.scratch import scratch

PAIR, ADDED, LAID_OUT = 20, 6, 100
"""What a pair costs beyond its multiplications, a product that a window adds up, and a weight to be laid out
tap by tap: in multiplications, for each number of a product."""


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs of a tap and a row, tap after tap.

    Attributes:
        numbers: int32, (U, T): which pair each member is, -1 outside.
        rows: int32, (pairs,): the row of each.
        sizes: pairs of each tap.
    """

    numbers: Tensor
    rows: Tensor
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, members: Tensor, rows: int) -> "Pairs":
        """Those of members, int32 (U, T), of so many rows."""
        numbers, kinds = np.empty(members.shape, dtype=np.int32), np.empty(members.numel(), dtype=np.int32)
        sizes = np.empty(members.shape[1], dtype=np.int64)
        count = _number(
            members.contiguous().numpy(), np.full(rows, -1, dtype=np.int32), numbers, kinds, sizes
        )
        return cls(torch.from_numpy(numbers), torch.from_numpy(kinds[:count]), tuple(sizes.tolist()))

    def pay(self, channels: int, weights_apart: bool = False) -> bool:
        """Whether multiplying each pair once is faster than each window.

        Args:
            channels: of a row.
            weights_apart: whether a tap's weights must be laid out first.
        """
        pairs, members = len(self.rows), self.numbers.numel()
        laid_out = LAID_OUT * channels * len(self.sizes) if weights_apart else 0
        return pairs * (channels + PAIR) + ADDED * members + laid_out < members * channels

    def convolve(self, rows: Tensor, filters: Tensor, bias: Tensor | None, members: Tensor) -> Tensor:  # noqa: ARG002
        """rows (R, C) of members (U, T) times filters (M, T x C), plus a bias (M,): (U, M)."""
        own, products = self._gathered(rows), self._products(filters)
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            for pairs, channels in self._taps(rows.shape[1]):
                torch.mm(own[pairs], filters[:, channels].T, out=products[pairs])
        sums = moves.class_sum(products, self.numbers)
        return sums if bias is None else sums.add_(bias)

    def convolution_gradients(
        self,
        gradient: Tensor,
        rows: Tensor,
        filters: Tensor,
        members: Tensor,  # noqa: ARG002
        needed: tuple[bool, bool],
    ) -> tuple[Tensor | None, Tensor | None]:
        """Of the rows and of the filters, of those that are ``needed``."""
        own, products = self._gathered(rows), self._products(filters).zero_()
        moves.spread_back(gradient, self.numbers, products)
        d_filters = torch.empty_like(filters) if needed[1] else None
        with torch.autocast("cpu", enabled=False):
            for pairs, channels in self._taps(rows.shape[1]):
                if d_filters is not None:
                    torch.mm(products[pairs].T, own[pairs], out=d_filters[:, channels])
                if needed[0]:
                    torch.mm(products[pairs], filters[:, channels], out=own[pairs])
        if not needed[0]:
            return None, d_filters
        d_rows = torch.zeros_like(rows, memory_format=torch.contiguous_format)
        moves.spread_back(own, self.rows[:, None], d_rows)
        return d_rows, d_filters

    def _taps(self, channels: int) -> Iterator[tuple[slice, slice]]:
        """Each tap's pairs and its channels among all taps'."""
        bounds = pairwise(accumulate(self.sizes, initial=0))
        for tap, (first, last) in enumerate(bounds):
            yield slice(first, last), slice(tap * channels, (tap + 1) * channels)

    def _gathered(self, rows: Tensor) -> Tensor:
        """Each pair's row, in memory that a later call writes on."""
        elements = scratch("panel", len(self.rows) * rows.shape[1], flat(rows[:0]).dtype)
        return moves.gather(rows, self.rows[:, None], torch.from_numpy(elements))

    def _products(self, filters: Tensor) -> Tensor:
        """Memory for each pair's product, that a later call writes on."""
        shape = len(self.rows), len(filters)
        elements = scratch("products", shape[0] * shape[1], flat(filters[:0]).dtype)
        return torch.from_numpy(elements).view(shape)


@njit(nogil=True, cache=True)
def _number(
    members: NDArray[np.int32],
    known: NDArray[np.int32],
    numbers: NDArray[np.int32],
    kinds: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> int:
    count = 0
    for tap in range(members.shape[1]):
        begin = count
        for one in range(len(members)):
            row = members[one, tap]
            if row < 0:
                numbers[one, tap] = row
                continue
            if known[row] < begin:
                known[row] = count
                kinds[count] = row
                count += 1
            numbers[one, tap] = known[row]
        sizes[tap] = count - begin
    return count
