"""How does a benchmark measure?"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Literal

import torch
from pydantic import Field

from mercuric.config import Config
from mercuric.studies.bench.interleaved import Function, Timings, interleaved

Precision = Literal["float32", "bfloat16"]


def autocast(precision: Precision) -> AbstractContextManager[object]:
    """Within the block networks compute in the precision."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")


class Clocked(Config):
    """What counts as time.

    Attributes:
        clock: ``"wall"``, or ``"cpu"`` for the processor's seconds, summed over threads: for machines that
            others use as well, with one thread.
    """

    clock: Literal["wall", "cpu"] = "wall"

    @property
    def now(self) -> Callable[[], float]:
        """The clock, in seconds."""
        return time.process_time if self.clock == "cpu" else time.perf_counter


class Timing(Clocked):
    """In which precision is computed, and what counts as time.

    Attributes:
        dtype: ``"float32"``, or ``"bfloat16"`` for autocast, dense and with reuse alike.
    """

    dtype: Precision = "float32"

    def autocast(self) -> AbstractContextManager[object]:
        """Within the block networks compute in the chosen precision."""
        return autocast(self.dtype)


class BenchSettings(Timing):
    """What all benchmarks of layers and networks share.

    Attributes:
        rounds: measurements of each function.
        compiled: time ``torch.compile`` of the dense form as well; ratios are then against the faster.
        seed: what weights, noise and planted duplicates are drawn from.
    """

    rounds: Annotated[int, Field(strict=True, ge=1)] = 5
    compiled: bool = False
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    def time(self, functions: Mapping[str, Function], warm_ups: int, least: float = 0.0) -> Timings:
        """:func:`~mercuric.studies.bench.interleaved.interleaved`, as these settings have it."""
        return interleaved(functions, self.rounds, warm_ups, least, self.now)
