"""Where do independent pieces of a study run: here, in processes, or on the nodes of a Ray cluster?"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from mercuric.errors import ArgumentError
from mercuric.progress import Progress
from mercuric.studies.process_pool import process_pool, shared_objects
from mercuric.studies.ray_pool import ray_pool, ray_queue

Arguments = ParamSpec("Arguments")
Piece = TypeVar("Piece")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workers:
    """Who does the pieces.

    Attributes:
        jobs: pieces at a time, each in a process; by default 1, and with Ray as many as its nodes have CPUs.
        ray: ``"local"`` for a Ray of this command's own on this machine, or the address of a running cluster;
            None: processes of this machine, without Ray.

    Raises:
        ValueError: ``jobs`` is under 1.
    """

    jobs: int | None = None
    ray: str | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise ArgumentError(f"jobs was {self.jobs}, but must be at least 1")

    @property
    def here(self) -> bool:
        """Whether pieces run in this process, one after another."""
        return self.ray is None and self.at_once == 1

    @property
    def at_once(self) -> int:
        """Pieces at a time, as far as it is known before a cluster is asked."""
        return self.jobs or 1

    @contextmanager
    def pool(self, folder: Path) -> Iterator[tuple[Executor, int]]:
        """What runs functions, which are found by name and can be pickled, and how many at a time.

        A piece whose process or node is lost is done again on Ray; without Ray the run ends with a sentence.
        So a piece must find again what it has written, or write it anew.

        Args:
            folder: that pieces write to, which every node must see.

        Raises:
            MercuricError: a process was killed, Ray is not installed or doesn't answer, or a node can't take
                part: see :func:`~mercuric.studies.ray_pool.ray_pool`.
        """
        if self.ray is not None:
            with ray_pool(self.ray, self.jobs, folder) as nodes:
                yield nodes, nodes.at_once
        elif self.here:
            yield _Here(), 1
        else:
            with process_pool(self.at_once) as processes:
                yield processes, self.at_once

    @contextmanager
    def telling(self, progress: Progress) -> Iterator[Progress]:
        """A progress that pieces of :meth:`pool`, which must be open, can be given; it tells ``progress``."""
        if self.here:
            yield progress
        elif self.ray is not None:
            with ray_queue() as queue, _told(queue, progress) as tell:
                yield tell
        else:
            with shared_objects() as manager, _told(manager.Queue(), progress) as tell:
                yield tell


HERE = Workers()
"""This process alone."""


def finished(
    work: Callable[[Piece], Result], pieces: Iterable[Piece], workers: Workers, folder: Path
) -> Iterator[Result]:
    """What ``work`` returns for each piece, as they end; where one fails, no other is begun.

    Args:
        work: does a piece; see :meth:`Workers.pool`.
        pieces: of which none waits for another.
        workers: who does them.
        folder: that they write to.
    """
    if workers.here:
        yield from map(work, pieces)
        return
    waiting = list(pieces)
    if waiting:
        with workers.pool(folder) as (pool, _):
            for done in as_completed([pool.submit(work, piece) for piece in waiting]):
                yield done.result()


class _Here(Executor):
    """Runs a piece as it is submitted."""

    def submit(
        self, work: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        done: Future[Result] = Future()
        done.set_result(work(*args, **kwargs))
        return done


@contextmanager
def _told(queue: "Queue[Any]", progress: Progress) -> Iterator[Progress]:
    """What puts its arguments into a queue of several processes, out of which they go to ``progress``."""

    def listen() -> None:
        while (told := queue.get()) is not None:
            progress(*told)

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield partial(_put, queue)
    finally:
        queue.put(None)
        listener.join()


def _put(queue: "Queue[Any]", *told: Any) -> None:
    queue.put(told)
