"""How do processes share the cores, and what is said when one is killed?"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

import torch

from mercuric.errors import MercuricError


@contextmanager
def process_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many fresh processes, each with its share of torch's threads, at least one.

    Where the block fails, what has not begun is dropped and what runs is waited for.

    Raises:
        MercuricError: a process was killed.
    """
    threads = max(1, torch.get_num_threads() // jobs)
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(threads,)
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise MercuricError(
            "a process was killed, perhaps for want of memory; the same command with --resume and fewer "
            "--jobs goes on",
            exit_code=1,
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
