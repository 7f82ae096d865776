"""How do the nodes of a Ray cluster share pieces, and what if a node is lost or can't take part?"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from secrets import token_hex
from typing import Any

import torch

from mercuric.errors import MercuricError
from mercuric.extras import needed_for
from mercuric.files.locks import InUse
from mercuric.version import __version__

LOCAL = "local"
ANSWERS_WITHIN = 5.0
"""Seconds in which an address must be reached."""
_HEALTHY_WITHIN = 30.0
_READY_WITHIN = 300.0
"""Seconds in which every node must have started a process and imported this package."""
NICENESS = "RAY_worker_niceness"
_ATTEMPTS = 5
"""Of a piece, each of which but the last has lost its process or node."""
_FREE_WITHIN = 120.0
"""Seconds in which the locks of a lost process must be free again."""


@dataclass(frozen=True)
class _Home:
    """Where the command runs that pieces belong to.

    Attributes:
        version: of this package.
        folder: the working directory, where a node has it too.
        data: ``$MERCURIC_DATA``.
        threads: of a piece.
    """

    version: str
    folder: str
    data: str | None
    threads: int


class RayPool(ThreadPoolExecutor):
    """Runs functions on nodes, so many at a time; each is watched by a thread, and redone if it is lost.

    Args:
        at_once: functions at a time.
        cpus: that each is given.
    """

    def __init__(self, at_once: int, cpus: int) -> None:
        super().__init__(at_once)
        self.at_once = at_once
        self.threads = cpus
        self._home = _Home(__version__, str(Path.cwd()), os.environ.get("MERCURIC_DATA"), cpus)

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See :class:`concurrent.futures.Executor`."""
        return super().submit(self._done, work, args, kwargs)

    def _done(self, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        ray = load_ray()
        remote = ray.remote(num_cpus=self.threads, max_retries=0, max_calls=0)(_piece)
        for attempt in range(_ATTEMPTS):
            try:
                return ray.get(remote.remote(self._home, work, args, kwargs, attempt > 0))
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except _lost(ray):
                continue
        raise MercuricError(
            f"a piece lost its process {_ATTEMPTS} times, perhaps for want of memory; the same command with "
            "--resume and fewer --jobs goes on",
            exit_code=1,
        )


@contextmanager
def ray_pool(address: str, jobs: int | None, folder: Path) -> Iterator[RayPool]:
    """The nodes of a cluster, each of which was asked whether it can take part.

    Args:
        address: ``"local"``: a Ray on this machine, which ends with the block; ``"auto"``: the one that runs
            here; else HOST:PORT of a cluster that this machine is a node of.
        jobs: pieces at a time; as many as there are CPUs by default.
        folder: that pieces write to; all nodes must see it.

    Raises:
        MercuricError: Ray is not installed; nothing answers at the address; or a node has another version of
            this package, or none, or does not see the folder.
    """
    ray = load_ray()
    _connect(ray, address, jobs)
    try:
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        nodes = _fitting(ray, nodes, folder)
        cpus = [int(node["Resources"]["CPU"]) for node in nodes]
        at_once = jobs or sum(cpus)
        share = max(1, min(cpus) // -(-at_once // len(cpus)))
        pool = RayPool(at_once, share)
        try:
            yield pool
        except KeyboardInterrupt:
            ray.shutdown()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    finally:
        ray.shutdown()


@contextmanager
def ray_queue() -> Iterator["Queue[Any]"]:
    """A queue that pieces reach, on the node of this command."""
    ray = load_ray()
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    queue = ray.util.queue.Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
    try:
        yield queue
    finally:
        queue.shutdown()


def load_ray() -> Any:
    """Ray.

    Raises:
        MissingPackage: it is not installed.
    """
    with needed_for("--ray", "distributed"):
        import ray
        import ray.util.queue
        import ray.util.scheduling_strategies
    return ray


def _lost(ray: Any) -> tuple[type[Exception], ...]:
    """What is raised where a process or its node has gone."""
    names = (
        "WorkerCrashedError",
        "NodeDiedError",
        "LocalRayletDiedError",
        "OutOfMemoryError",
        "ObjectLostError",
    )
    return tuple(getattr(ray.exceptions, name) for name in names)


def _connect(ray: Any, address: str, jobs: int | None) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    if address == LOCAL:
        os.environ.setdefault(NICENESS, "0")  # as this command: beside other work, 15 is next to nothing
        ray.init(address=LOCAL, num_cpus=jobs, include_dashboard=False, **quiet)
        return
    if address != "auto":
        _require_answer(address)
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        first = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise MercuricError(f"ray was {address!r}, but no cluster could be joined there: {first}") from None


def _require_answer(address: str) -> None:
    """Find out in seconds what Ray would wait minutes for."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in address or not port.isdecimal():
        raise MercuricError(f"ray was {address!r}, but must be local, auto or HOST:PORT, as 10.0.0.1:6379")
    try:
        with socket.create_connection((host, int(port)), ANSWERS_WITHIN):
            pass
    except (OSError, OverflowError) as error:
        why = "in time" if isinstance(error, TimeoutError) else f"({error})"
        raise MercuricError(f"ray was {address!r}, but nothing answers there {why}") from None
    asked = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        healthy = subprocess.run(asked, timeout=_HEALTHY_WITHIN, capture_output=True).returncode == 0  # noqa: S603
    except subprocess.TimeoutExpired:
        healthy = False
    if not healthy:
        raise MercuricError(f"ray was {address!r}, but what answers there is no Ray cluster of this version")


def _fitting(ray: Any, nodes: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Ask each node for its version of this package, and whether it sees the folder; without those just lost.

    Raises:
        MercuricError: one does not fit, or there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder.resolve() / f".{token_hex(4)}.node"
    mark.touch()
    pinned = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    try:
        asked = [
            ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=pinned(node["NodeID"], soft=False))(
                _seen
            ).remote(str(mark))
            for node in nodes
        ]
        pairs = zip(nodes, asked, strict=True)
        there = [node for node, answer in pairs if _answers(ray, node, answer, folder)]
    finally:
        mark.unlink(missing_ok=True)
    if not there:
        raise MercuricError("the Ray cluster has no node with a CPU")
    return there


def _answers(ray: Any, node: dict[str, Any], answer: Any, folder: Path) -> bool:
    """Whether a node is there; it must fit then."""
    name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
    try:
        version, seen = ray.get(answer, timeout=_READY_WITHIN)
    except ray.exceptions.GetTimeoutError:
        raise MercuricError(f"node {name} was not ready after {_READY_WITHIN:g} s; restart its Ray") from None
    except (*_lost(ray), ray.exceptions.TaskUnschedulableError):  # a cluster notices it in half a minute
        return False
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1].strip()
        raise MercuricError(
            f"node {name} can't take part ({last}); install mercuric {__version__} there"
        ) from None
    if version != __version__:
        raise MercuricError(
            f"node {name} has mercuric {version}, but this command is of {__version__}; install that there"
        )
    if not seen:
        raise MercuricError(
            f"node {name} doesn't see {folder.resolve()}; choose an --out that all nodes share"
        )
    return True


def _seen(path: str) -> tuple[str, bool]:
    from mercuric.version import __version__ as version  # this node's

    return version, Path(path).exists()


def _piece(
    home: _Home, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], again: bool
) -> Any:
    """Do a piece on this node; where one was lost before, its locks may take a while to be free."""
    if home.version != __version__:  # of a node that came later
        raise MercuricError(
            f"node {socket.gethostname()} has mercuric {__version__}, but this command is of {home.version}; "
            "install that there"
        )
    if Path(home.folder).is_dir():
        os.chdir(home.folder)
    if home.data is not None:
        os.environ["MERCURIC_DATA"] = home.data
    torch.set_num_threads(home.threads)
    until = time.monotonic() + (_FREE_WITHIN if again else 0.0)
    while True:
        try:
            return work(*args, **kwargs)
        except InUse:
            if time.monotonic() > until:
                raise
            time.sleep(1.0)
