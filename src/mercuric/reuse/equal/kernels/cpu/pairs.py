"""Which pairs of a position and its class does a batch of maps hold?"""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor


def position_pairs(ids: Tensor, classes: int) -> tuple[Tensor, Tensor, list[int]]:
    """Distinct pairs, position after position.

    Args:
        ids: int32, (N, P): the class at each position of each map.
        classes: how many there are.

    Returns:
        int32 (N, P): which pair each is; int32 (pairs,): the class of each; and pairs of each position.
    """
    numbers, kinds = np.empty(ids.shape, dtype=np.int32), np.empty(ids.numel(), dtype=np.int32)
    sizes = np.empty(ids.shape[1], dtype=np.int64)
    known = np.full(classes, -1, dtype=np.int32)
    count = _number(ids.contiguous().numpy(), known, numbers, kinds, sizes)
    return torch.from_numpy(numbers), torch.from_numpy(kinds[:count]), sizes.tolist()


@njit(nogil=True, cache=True)
def _number(
    ids: NDArray[np.int32],
    known: NDArray[np.int32],
    numbers: NDArray[np.int32],
    kinds: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> int:
    count = 0
    for position in range(ids.shape[1]):
        begin = count
        for one in range(len(ids)):
            kind = ids[one, position]
            if known[kind] < begin:
                known[kind] = count
                kinds[count] = kind
                count += 1
            numbers[one, position] = known[kind]
        sizes[position] = count - begin
    return count
