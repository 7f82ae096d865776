"""How does a compiled kernel use PyTorch's threads?

It joins their team. OpenMP's threads spin for some milliseconds after each of PyTorch's operations: other
threads would wait that long for a core. Where PyTorch has no such team, a pool of plain threads must do.
(Numba's parallel loops abort the process when two Python threads enter them at once.)
"""

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import count as counted
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def over_chunks(kernel: Callable[..., None], count: int, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` on equal chunks of ``range(count)``, one a thread.

    The kernel must release the interpreter's lock and write to places no other chunk writes to.
    """
    threads = max(1, min(torch.get_num_threads(), count))
    over_bounds(kernel, [count * thread // threads for thread in range(threads + 1)], *arguments)


def over_bounds(kernel: Callable[..., None], bounds: Sequence[int], *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` between neighbouring bounds, on a thread each.

    PyTorch's operations within it run on that thread alone.
    """
    chunks = list(pairwise(bounds))
    if len(chunks) == 1:
        kernel(*chunks[0], *arguments)
        return
    errors: list[BaseException] = []

    def run(first: int, last: int) -> None:
        try:
            kernel(first, last, *arguments)
        except BaseException as error:  # it must not leave by OpenMP's frames
            errors.append(error)

    in_team = _team()
    (_in_pool if in_team is None else in_team)(run, chunks)
    if errors:
        raise errors[0]


Chunks = list[tuple[int, int]]


@lru_cache(1)
def _team() -> Callable[[Callable[[int, int], None], Chunks], None] | None:
    """What runs chunks on PyTorch's team of threads."""
    libraries = sorted((Path(torch.__file__).parent / "lib").glob("lib[gi]omp*.so*"))
    if not libraries:
        return None
    parallel = ctypes.CDLL(str(libraries[0])).GOMP_parallel

    def in_team(run: Callable[[int, int], None], chunks: Chunks) -> None:
        places = counted()

        def task(_: int | None) -> None:
            while (place := next(places)) < len(chunks):
                run(*chunks[place])

        parallel(_TASK(task), None, len(chunks), 0)

    return in_team


def _in_pool(run: Callable[[int, int], None], chunks: Chunks) -> None:
    others = [_pool(len(chunks) - 1).submit(run, *chunk) for chunk in chunks[1:]]
    run(*chunks[0])
    wait(others)


@lru_cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="mercuric")
