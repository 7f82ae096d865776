"""How does a compiled kernel use PyTorch's number of threads?

A pool of plain threads, not Numba's parallel loops: those abort the process when two Python threads
enter them at once, and their OpenMP runtime spins beside PyTorch's.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch


def over_chunks(kernel: Callable[..., None], count: int, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` on equal chunks of ``range(count)``, one a thread.

    The kernel must release the interpreter's lock and write to places no other chunk writes to.
    """
    threads = min(torch.get_num_threads(), count)
    if threads <= 1:
        kernel(0, count, *arguments)
        return
    bounds = [count * thread // threads for thread in range(threads + 1)]
    pool = _pool(threads - 1)
    others = [pool.submit(kernel, first, last, *arguments) for first, last in pairwise(bounds[1:])]
    kernel(bounds[0], bounds[1], *arguments)
    for other in others:
        other.result()


@lru_cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="mercuric")
