"""What do compiled kernels read and write, and on which operands do they work?"""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.similarity.threads import over_chunks

DTYPES = (torch.float32, torch.float64)
CHANNELS_A_THREAD = 16
"""Where threads share channels out, each has whole lines of memory, of 64 bytes."""


def are_compiled(rows: Tensor) -> bool:
    """Whether there are kernels for rows of this device and dtype."""
    return rows.device.type == "cpu" and rows.dtype in DTYPES


def flat(values: Tensor) -> NDArray[Any]:
    """All elements in order; of what is contiguous no copy."""
    return values.detach().resolve_neg().contiguous().view(-1).numpy()


def over_channels(kernel: Any, channels: int, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` on channels, a run of them a thread."""
    blocks = (channels + CHANNELS_A_THREAD - 1) // CHANNELS_A_THREAD

    def run(first: int, last: int) -> None:
        kernel(first * CHANNELS_A_THREAD, min(last * CHANNELS_A_THREAD, channels), *arguments)

    over_chunks(run, blocks)
