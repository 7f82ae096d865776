"""How do processes share the cores, what ends them, and what is said when one is killed?"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.managers import SyncManager
from threading import Thread
from typing import Any

import torch

from mercuric.errors import MercuricError


@contextmanager
def process_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many fresh processes, each with its share of torch's threads, at least one.

    They end with this process, however it ends. Where the block fails, what has not begun is dropped and
    what runs is waited for; after Ctrl-C it is not.

    Raises:
        MercuricError: a process was killed.
    """
    threads = max(1, torch.get_num_threads() // jobs)
    going_on, until = Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(threads, going_on)
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise MercuricError(
            "a process was killed, perhaps for want of memory; the same command with --resume and fewer "
            "--jobs goes on",
            exit_code=1,
        ) from None
    except KeyboardInterrupt:
        until.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        until.close()
        going_on.close()


@contextmanager
def shared_objects() -> Iterator[SyncManager]:
    """A process that keeps queues for others; it ends with this one, however this one ends."""
    manager = SyncManager(ctx=get_context("spawn"))
    manager.start(end_with_parent)
    try:
        yield manager
    finally:
        manager.shutdown()


def end_with_parent(*others: Connection) -> None:
    """Let this process, which ignores Ctrl-C, end as soon as its parent or the other end of a pipe has.

    Without this, processes whose parent was killed would work on for hours.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    watched: list[Any] = [*others, *([] if parent is None else [parent.sentinel])]

    def watch() -> None:
        wait(watched)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _begin(threads: int, going_on: Connection) -> None:
    end_with_parent(going_on)
    torch.set_num_threads(threads)
