"""Which accelerator is simulated?"""

from functools import cache
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.names import dataflow_named
from mercuric.config import Config
from mercuric.errors import ArgumentError
from mercuric.similarity import MCache

Design = Literal["synchronous", "asynchronous"]
Arrival = Literal["raster", "interleaved"]
LateHits = Literal["ready", "wait", "recompute"]
Dealing = Literal["vectors", "products", "rows", "misses"]
Replicated = Literal["filters", "channels", "images"]
BlocksAtOnce = Literal["consecutive", "all"]
GradientSignatures = Literal["needed", "free", "reload", "compute"]
Depth = Literal["channel", "whole"]
Split = Literal["filters", "images"]

ROW_MISS_TIME = 6.5
"""How much longer than a burst of an open row one takes that opens its row first.

DDR3-1600 (JEDEC JESD79-3, 11-11-11): a burst of 8 takes 4 clocks, closing a row and opening another 11 each.
No bank hides another's, which is the worst case.
"""

_BANDWIDTHS = {"dram_words_per_cycle": "DRAM", "link_words_per_cycle": "link"}
_PRESETS = Path(__file__).parent / "presets"

_COUNTED = (
    "arrays", "rows", "columns", "ways", "entries", "versions", "filters_in_flight", "replicas",
    "insertion_queue", "weight_blocks", "word_bits",
)  # fmt: skip
_LEAST = {
    **dict.fromkeys(_COUNTED, 1),
    "register_file_words": 3,  # an input, a weight and a partial sum
    "buffer_kib": 1,
}


class Accelerator(Config):
    """An array of processing elements (PEs) with an MCACHE beside it.

    Attributes:
        name: what reports call it.
        dataflow: what stays in a PE: a ``"row"`` of the input (Eyeriss, paper III), a ``"weight"``, an
            ``"input"`` (paper IV) or an ``"output"``, on a systolic array; IV read literally, ``"broadcast"``
            (a filter a PE) and ``"vector"`` (one input vector at a time); or another that
            :func:`~mercuric.accelerator.register_dataflow` was given.
        rows: rows of the array.
        columns: columns of the array.
        clock_mhz: core clock in MHz; turns cycles into seconds.
        entries: signatures that the MCACHE holds; None: as many as there are.
        ways: entries of one MCACHE set.
        versions: filters that may be under way at a time: filter buffers, and results that an MCACHE
            entry holds (paper III-C1); the synchronous design uses one.
        design: whether PE sets wait for each other after each filter (paper III-C1).
        timing: which of the two timings a report leads with (every count has both).
        pipelined_signatures: whether signature bits overlap (Fig. 8b) or not (Fig. 8a).
        mac_unit: whether a PE multiplies and accumulates in one operation (paper III-B2).
        arrival: the order in which signatures reach the MCACHE: the input's, or that in which the PE
            sets finish them. Who comes first is computed, and the others reuse it.
        late_hits: what happens where a HIT's result has not been computed yet by a slower PE set:
            nothing (it is taken as ready), the HIT waits, or the dot product is computed once more.
        dealing: what a row-stationary array deals to its PE sets in contiguous blocks: a scope's
            ``"vectors"``, all sets working on the same filter (paper Fig. 10), or its ``"products"``, the
            pairs of filter and vector, filter by filter; or the ``"rows"`` of the output one after the other,
            as Eyeriss and the presets named after it map them; or, from a queue, the ``"misses"`` and then
            the HITs, to whichever set is free. For convolutions.
        filters_in_flight: filters whose products, or misses, are dealt together, and whose results an MCACHE
            entry holds; None: all filters of a layer, as where a layer has fewer.
        replicated: what an array that is dealt rows holds side by side where an output has fewer rows than
            there are PE sets: several ``"filters"``; or several ``"channels"`` or ``"images"`` with an
            MCACHE each, and filters where room is left.
        replicas: filters that have a version of their result side by side in an MCACHE entry where rows are
            dealt; fewer than there is room for leave PE sets idle. None: as many as there is room for.
        baseline_depth: how the baseline of any dataflow but ``"row"`` folds a layer's depth: by
            ``"channel"``, as MERCURY must, or the ``"whole"`` depth as one product; None: by channel in
            ``"paper"`` timing, whole in ``"fair"``.
        hit_ports: ports as wide as the array's edge that HITs' results pass beside those of computed
            vectors, or ``"unlimited"``: a result is there for nothing; None: unlimited in ``"paper"``
            timing, one in ``"fair"``. Not for ``"row"``.
        hit_cycles: cycles, 0 or 1, in which the array finds that a vector hits and passes it over. Not for
            ``"row"``, where a HIT takes its PE set a cycle.
        insertion_queue: requests that the queue of a cache set holds (paper V); None: as many as come,
            and nobody waits for them.
        weight_blocks: blocks that the vectors of fully connected layers are cut into, and with them the
            weight matrix (paper III-C3 read literally); at most so many, of equal length.
        blocks_at_once: which of them a row-stationary array works on at a time: ``"consecutive"``: one, or
            two in the asynchronous design (III-C3); ``"all"`` that its PEs hold an input of each of.
        gradient_signatures: which signatures of gradient vectors dO pays for (paper III-C2): those that are
            ``"needed"`` by the Hitmap that it goes by (none where that is the forward pass's; where it is the
            gradient's own, all that weren't reloaded); ``"free"``: none; ``"reload"``: all that the following
            layer's don't serve, whichever Hitmap dO goes by; ``"compute"``: all.
        word_bits: bits of an input, a weight, a partial sum, a result in the MCACHE.
        register_file_words: words that one PE's register file holds.
        buffer_kib: the global buffer in KiB.
        dram_words_per_cycle: words that the DRAM moves in a cycle from open rows; None: as many as are asked
            for.
        dram_row_hits: share of the DRAM's words whose row is open already, 0 to 1; the others take
            ``ROW_MISS_TIME`` times as long, and what the energies' ``dram_row_miss`` says.
        arrays: how many such arrays there are, with an MCACHE and a buffer each, at one DRAM.
        split_by: what a layer gives each array a share of: its ``"filters"`` (whole groups of a grouped
            convolution, whole heads of attention), or the batch's ``"images"``.
        link_words_per_cycle: words that pass between all arrays in a cycle; None: as many as are asked for.
        energies: what an access costs: a table of ``mercuric.accelerator.energy.energies``, or a YAML file.

    Raises:
        ValueError: a number is out of range, ``ways`` does not divide ``entries``, or an option means
            nothing for the dataflow.
    """

    name: str
    dataflow: str = "row"
    rows: Annotated[int, Field(strict=True)]
    columns: Annotated[int, Field(strict=True)]
    clock_mhz: float
    entries: int | None
    ways: int
    versions: Annotated[int, Field(strict=True)] = 4
    design: Design = "synchronous"
    timing: Timing = "paper"
    pipelined_signatures: bool = True
    mac_unit: bool = False
    arrival: Arrival = "raster"
    late_hits: LateHits = "ready"
    dealing: Dealing = "vectors"
    filters_in_flight: Annotated[int, Field(strict=True)] | None = None
    replicated: Replicated = "filters"
    replicas: Annotated[int, Field(strict=True)] | None = None
    baseline_depth: Depth | None = None
    hit_ports: int | Literal["unlimited"] | None = None
    hit_cycles: Literal[0, 1] = 0
    insertion_queue: Annotated[int, Field(strict=True)] | None = None
    weight_blocks: Annotated[int, Field(strict=True)] = 1
    blocks_at_once: BlocksAtOnce = "consecutive"
    gradient_signatures: GradientSignatures = "needed"
    word_bits: Annotated[int, Field(strict=True)] = 16
    register_file_words: Annotated[int, Field(strict=True)] = 256
    buffer_kib: float = 108
    dram_words_per_cycle: float | None = None
    dram_row_hits: float = 1
    arrays: Annotated[int, Field(strict=True)] = 1
    split_by: Split = "filters"
    link_words_per_cycle: float | None = None
    energies: str = "eyeriss"

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        for argument, least in _LEAST.items():
            value = getattr(self, argument)
            if value is not None and value < least:
                raise ArgumentError(
                    f"{argument} of accelerator {self.name!r} was {value}, but must be at least {least}"
                )
            if argument in _COUNTED and value is not None and value > _MOST:
                raise ArgumentError(
                    f"{argument} of accelerator {self.name!r} was {value}, but must be at most {_MOST}"
                )
        for argument, what in _BANDWIDTHS.items():
            words = getattr(self, argument)
            if words is not None and words <= 0:
                raise ArgumentError(
                    f"{argument} of accelerator {self.name!r} was {words}, but must be above 0, or none for "
                    f"a {what} that never makes the array wait"
                )
        if not 0 <= self.dram_row_hits <= 1:
            raise ArgumentError(
                f"dram_row_hits of accelerator {self.name!r} was {self.dram_row_hits}, but must be from 0 "
                "to 1"
            )
        if not 0 < self.clock_mhz < float("inf"):
            raise ArgumentError(
                f"clock_mhz of accelerator {self.name!r} was {self.clock_mhz}, but must be a number above 0"
            )
        if self.entries is not None and self.entries % self.ways:
            raise ArgumentError(
                f"entries of accelerator {self.name!r} was {self.entries}, but must be a multiple of ways, "
                f"{self.ways}"
            )
        return self

    @field_validator("hit_ports", mode="before")
    @classmethod
    def _some_ports(cls, ports: object) -> object:
        if ports in (None, "unlimited") or (type(ports) is int and 1 <= ports <= _MOST):
            return ports
        raise ArgumentError(
            f"hit_ports was {ports!r}, but must be from 1 to {_MOST}, 'unlimited', or none for what the "
            "timing says"
        )

    @field_validator("dataflow")
    @classmethod
    def _known_dataflow(cls, name: str) -> str:
        return dataflow_named(name).name

    def changed(self, **fields: Any) -> Self:
        """The same with other ``fields``, checked as a new accelerator is.

        Options of this one in which another ``dataflow`` leaves no choice get their defaults; an option that
        is given beside it is refused.

        Raises:
            ValueError: an unknown key, or a value that is not allowed.
        """
        if fields.get("dataflow", self.dataflow) == self.dataflow:
            return super().changed(**fields)
        needed = [name for name, field in type(self).model_fields.items() if field.is_required()]
        asked = type(self)(**{**{name: getattr(self, name) for name in needed}, **fields})
        fixed = dataflow_named(asked.dataflow).fixed_options(asked)
        kept = {name: getattr(self, name) for name in self.model_fields_set if name not in fixed}
        return type(self)(**{**kept, **fields})

    @model_validator(mode="after")
    def _options_mean_something(self) -> Self:
        for option, why in dataflow_named(self.dataflow).fixed_options(self).items():
            value, only = getattr(self, option), type(self).model_fields[option].default
            if value != only:
                raise ArgumentError(
                    f"{option} of accelerator {self.name!r} was {value!r}, but must be {only!r} where {why}"
                )
        return self

    @property
    def pes(self) -> int:
        """Processing elements of the array."""
        return self.rows * self.columns

    @property
    def waits(self) -> bool:
        """Whether arrays can wait for words on their way."""
        return self.dram_words_per_cycle is not None or (
            self.arrays > 1 and self.link_words_per_cycle is not None
        )

    def dram_cycles(self, words: int) -> int:
        """Cycles in which the DRAM moves ``words``; 0 for an unbounded one."""
        if self.dram_words_per_cycle is None:
            return 0
        each = self.dram_row_hits + (1 - self.dram_row_hits) * ROW_MISS_TIME
        return ceil(words * each / self.dram_words_per_cycle)

    def link_cycles(self, words: int) -> int:
        """Cycles in which ``words`` pass from array to array; 0 for an unbounded link."""
        return 0 if self.link_words_per_cycle is None else ceil(words / self.link_words_per_cycle)

    @property
    def mcache(self) -> MCache:
        """The MCACHE."""
        return MCache(self.entries, self.ways)

    @property
    def results(self) -> int:
        """Filters that are under way at a time, of which an MCACHE entry holds a result each (III-C1)."""
        return self.versions if self.design == "asynchronous" else 1

    def depth(self, timing: Timing) -> Depth:
        """How the baseline folds a layer's depth in a timing."""
        return self.baseline_depth or ("whole" if timing == "fair" else "channel")

    def ports(self, timing: Timing) -> int | None:
        """Ports for HITs' results in a timing; None: as many as there are results."""
        if self.hit_ports == "unlimited":
            return None
        return self.hit_ports or (1 if timing == "fair" else None)

    @property
    def buffer_words(self) -> int:
        """Words that the global buffer holds."""
        return int(self.buffer_kib * 1024 * 8) // self.word_bits

    def seconds(self, cycles: int) -> float:
        """Time that ``cycles`` cycles take at this clock, in seconds."""
        return cycles / (self.clock_mhz * 1e6)


_MOST = 2**24
"""More of anything than a chip has; counts of work on so many stay within 64 bits."""


@cache
def presets() -> tuple[Accelerator, ...]:
    """The accelerators that come with the package."""
    return tuple(Accelerator.read(path) for path in sorted(_PRESETS.glob("*.yaml")))


def preset(name: str) -> Accelerator:
    """The accelerator called ``name``.

    Raises:
        ValueError: no preset has this name.
    """
    for accelerator in presets():
        if accelerator.name == name:
            return accelerator
    names = ", ".join(repr(accelerator.name) for accelerator in presets())
    raise ArgumentError(
        f"accelerator was {name!r}, but must be one of {names}, an Accelerator or its YAML file"
    )


def as_accelerator(accelerator: str | Path | Accelerator) -> Accelerator:
    """The accelerator itself, the preset of that name, or what a YAML file of that name describes.

    Raises:
        ValueError: something else; no preset has this name, and no YAML file; or the file's contents are
            wrong.
    """
    if isinstance(accelerator, Accelerator):
        return accelerator
    if not isinstance(accelerator, str | Path):
        hint = ": Accelerator(**fields) makes one" if isinstance(accelerator, dict) else ""
        kind = getattr(accelerator, "__name__", type(accelerator).__name__)
        raise ArgumentError(
            f"accelerator was {kind}, but must be the name of a preset, an Accelerator or its YAML file{hint}"
        )
    if Path(accelerator).suffix in (".yaml", ".yml"):
        return Accelerator.read(Path(accelerator))
    return preset(str(accelerator))
