"""Which networks and data is exact reuse timed on, and how?"""

import os
from typing import Annotated, Any, Self

import torch
from pydantic import AfterValidator, Field, JsonValue, model_validator

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.vectors import Scope
from mercuric.studies.bench.settings import BenchSettings
from mercuric.subjects.config import DataName, require_network
from mercuric.training.config import Positive


def networks() -> tuple[str, ...]:
    """Every network of the zoo that can be timed, in alphabetical order."""
    return tuple(sorted((*zoo.names(), *zoo.IMAGE_NETWORKS, *zoo.GAME_NETWORKS)))


NetworkName = Annotated[str, AfterValidator(lambda name: require_network(name, "network", networks()))]
"""A network that reads images, of whatever kind."""


class EqualBench(BenchSettings):
    """What is timed, and how.

    Attributes:
        networks: which; none: those of :data:`~mercuric.studies.bench.equal.cases.CASES`.
        data: a data set's name; None: those that the networks have there.
        data_root: where its files lie; by default where ``mercuric data fetch`` puts them.
        image_size: side of the images in pixels; None: as in the table, else the data set's own.
        model_args: arguments of networks that are not of the zoo.
        batch_size: images a step; None: as in the table, else 4.
        width: channels of each layer, times this.
        batches: drawn over the whole training set; a table's limits and ratios are over all of them.
        threads: each number is timed on its own; None: one, and with ``clock="wall"`` all cores too.
        forward_only: time inference alone.
        memory: measure peak memory as well, each form in processes of its own.
        exactness: compare outputs and gradients with those of float64, which takes a case's longest time.
        most, levels, scope: see :class:`~mercuric.reuse.equal.config.Equal`.

    Raises:
        ValueError: an unknown name, a number out of range, or several threads by the processor's seconds.
    """

    networks: tuple[NetworkName, ...] = ()
    data: DataName | None = None
    data_root: str | None = None
    image_size: Positive | None = None
    model_args: dict[str, JsonValue] = Field(default_factory=dict)
    batch_size: Positive | None = None
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    batches: Positive = 8
    rounds: Positive = 3
    compiled: bool = True
    threads: tuple[Positive, ...] | None = None
    forward_only: bool = False
    memory: bool = True
    exactness: bool = True
    most: float | None = None
    levels: int | None = None
    scope: Scope = "batch"

    @model_validator(mode="after")
    def _can_be_timed(self) -> Self:
        self.reuse()
        if self.clock == "cpu" and max(self.counts) > 1:
            raise ArgumentError(
                f"threads was {max(self.counts)}, but must be 1 by the processor's seconds, which add up "
                "those of all threads"
            )
        return self

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of threads."""
        if self.threads is not None:
            return self.threads
        return (1,) if self.clock == "cpu" else tuple(sorted({1, cores()}))

    def reuse(self, **changes: Any) -> Equal:
        """How the networks reuse."""
        own = {name: getattr(self, name) for name in ("most", "levels", "scope")}
        return Equal(**{**own, **changes})


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else torch.get_num_threads()
