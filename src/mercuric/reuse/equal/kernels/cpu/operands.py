"""What do compiled kernels read and write, and on which operands do they work?

NumPy has no bfloat16: its bits, which are the upper half of a float32's, stand for it.
"""

from typing import Any

import numpy as np
import torch
from numba import types
from numba.extending import overload
from numpy.typing import NDArray
from torch import Tensor

from mercuric.similarity.threads import over_chunks

COMPILED = (torch.float32, torch.float64)
GATHERED = (*COMPILED, torch.bfloat16)
CHANNELS_A_THREAD = 16
"""Where threads share channels out, each has whole lines of memory, of 64 bytes."""


def are_compiled(rows: Tensor) -> bool:
    """Whether there are kernels that compute with rows of this device and dtype."""
    return rows.device.type == "cpu" and rows.dtype in COMPILED


def are_gathered(rows: Tensor) -> bool:
    """Whether there are kernels that gather rows of this device and dtype, and add gradients up in them."""
    return rows.device.type == "cpu" and rows.dtype in GATHERED


def flat(values: Tensor) -> NDArray[Any]:
    """All elements in order; of what is contiguous no copy."""
    elements = values.detach().resolve_neg().contiguous().view(-1)
    if values.dtype == torch.bfloat16:
        bits: NDArray[Any] = elements.view(torch.int16).numpy().view(np.uint16)
        return bits
    return elements.numpy()


def tensor_of(elements: NDArray[Any]) -> Tensor:
    """The same memory as a tensor."""
    if elements.dtype == np.uint16:
        return torch.from_numpy(elements.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(elements)


def number(element: Any) -> Any:
    """The number that an element stands for, within a kernel."""
    return element


@overload(number)
def _number(element: Any) -> Any:
    def same(element: Any) -> Any:
        return element

    def upper_half(element: Any) -> Any:
        return np.uint32(np.uint32(element) << np.uint32(16)).view(np.float32)

    return upper_half if element == types.uint16 else same


def over_channels(kernel: Any, channels: int, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` on channels, a run of them a thread."""
    blocks = (channels + CHANNELS_A_THREAD - 1) // CHANNELS_A_THREAD

    def run(first: int, last: int) -> None:
        kernel(first * CHANNELS_A_THREAD, min(last * CHANNELS_A_THREAD, channels), *arguments)

    over_chunks(run, blocks)
