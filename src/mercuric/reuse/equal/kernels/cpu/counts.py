"""How many positions has each class?"""

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor


def class_counts(ids: Tensor, classes: int) -> Tensor:
    """See :func:`mercuric.reuse.equal.kernels.reference.class_counts`."""
    counts = np.zeros(classes, dtype=np.int64)
    _count(ids.contiguous().view(-1).numpy(), counts)
    return torch.from_numpy(counts)


@njit(nogil=True, cache=True)
def _count(ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    # Runs of one class are counted at once: adding 1 to one place in memory again and again waits each time.
    known, run = 0, 0
    for position in ids:
        if position == known:
            run += 1
        else:
            counts[known] += run
            known, run = position, 1
    if run:
        counts[known] += run
