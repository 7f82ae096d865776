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


class BenchSettings(Config):
    """What all benchmarks share.

    Attributes:
        rounds: measurements of each function.
        dtype: ``"float32"``, or ``"bfloat16"`` for autocast, dense and with reuse alike.
        compiled: time ``torch.compile`` of the dense form as well; ratios are then against the faster.
        clock: ``"wall"``, or ``"cpu"`` for the processor's seconds, summed over threads: for machines that
            others use as well, with one thread.
        seed: what weights, noise and planted duplicates are drawn from.
    """

    rounds: Annotated[int, Field(strict=True, ge=1)] = 5
    dtype: Precision = "float32"
    compiled: bool = False
    clock: Literal["wall", "cpu"] = "wall"
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    def autocast(self) -> AbstractContextManager[object]:
        """Within the block networks compute in the chosen precision."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.dtype == "bfloat16")

    @property
    def now(self) -> Callable[[], float]:
        """The clock, in seconds."""
        return time.process_time if self.clock == "cpu" else time.perf_counter

    def time(self, functions: Mapping[str, Function], warm_ups: int, least: float = 0.0) -> Timings:
        """:func:`~mercuric.studies.bench.interleaved.interleaved`, as these settings have it."""
        return interleaved(functions, self.rounds, warm_ups, least, self.now)
