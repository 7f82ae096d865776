"""How much memory does a piece of work need at its peak, in a process of its own?"""

import ctypes
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from mercuric.studies.process_pool import process_pool

_M_MMAP_THRESHOLD = -3
_MAPPED = 1 << 16
"""Bytes from which on an allocation is its own, and goes back when it is freed."""

Work = Callable[..., Callable[[], object]]
"""Prepares something and returns what is to be measured; both are importable by name."""


def peak_memory(work: Work, *arguments: Any) -> float:
    """Run ``work(*arguments)()`` in a fresh process, with as many threads as this one.

    Returns:
        MiB of resident memory at the peak, tensors and every kernel's scratch included, above what it was
        when the work was prepared (interpreter, libraries, network); where a system can't forget a peak,
        above the peak till then.

    Raises:
        MercuricError: the process was killed.
    """
    with process_pool(1) as pool:
        return pool.submit(_measured, torch.get_num_threads(), work, arguments).result()


def _measured(threads: int, work: Work, arguments: tuple[Any, ...]) -> float:
    torch.set_num_threads(threads)
    _return_what_is_freed()
    run = work(*arguments)
    _forget_peak()
    before = _peak()
    run()
    return _peak() - before


def _return_what_is_freed() -> None:
    # glibc keeps freed tensors of up to 32 MiB in a heap that grows in holes, by a fifth from run to run.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED)


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    # Linux's ru_maxrss counts the parent's memory as well, from before the new program was loaded.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
