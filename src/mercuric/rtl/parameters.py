"""How large is a circuit, and which of the paper's options does it have?"""

from dataclasses import dataclass
from typing import Literal, Self, get_args

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.hardware import Accelerator, LateHits
from mercuric.errors import ArgumentError
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import MCache

MOST_WAYS = 64
Results = Literal["registers", "memory"]
"""Where the MCACHE's results stand."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Sizes that are fixed when a circuit is made.

    Attributes:
        pe_rows: rows of the PE array.
        pe_columns: columns of the PE array.
        kernel_rows: PEs of a PE set: each has one row of a window (paper III-B1).
        kernel_columns: elements of a window's row.
        block: input vectors that a PE set has room for.
        bits: of a signature.
        cache_sets: sets of the MCACHE.
        ways: entries of an MCACHE set.
        queue: requests that the insertion queue of a cache set holds (paper V).
        versions: results that an MCACHE entry holds, and filter buffers (paper III-C1).
        results: whether the MCACHE holds results in registers, as the paper's does, or in a memory.
        ports: for reading and for writing results in the MCACHE; None: one of each for every PE set. Fewer
            make PE sets wait for each other. A memory is as many banks, with one of each.
        hitmap_ports: rows of a PE set's Hitmap that are written in a cycle; None: one for each cache set.
            Fewer make cache sets wait, and so signatures in their queues.
        queue_ports: signatures that an insertion queue takes in a cycle; None: one of each PE set. Fewer make
            the array wait, as a full queue does.
        word_bits: of an input, a weight, a partial sum and a result; sums are modulo ``2 ** word_bits``.
        overlapped_signatures: whether signature bits overlap (Fig. 8b) or not (Fig. 8a).
        overlapped_products: whether dot products with filters overlap.
        mac_unit: whether a PE adds a product in the cycle that multiplies it (paper III-B2).
        late_hits: what a HIT does whose result is not there in its turn; with ``"ready"`` the circuit reads
            whatever the entry holds, and says so.

    Raises:
        ValueError: a size is under 1, there are more than 64 ways, a kernel is taller than the array, or
            a memory's ports are no power of two.
    """

    pe_rows: int
    pe_columns: int
    kernel_rows: int
    kernel_columns: int
    block: int
    bits: int
    cache_sets: int
    ways: int
    queue: int = 4
    versions: int = 1
    results: Results = "registers"
    ports: int | None = None
    hitmap_ports: int | None = None
    queue_ports: int | None = None
    word_bits: int = 16
    overlapped_signatures: bool = True
    overlapped_products: bool = False
    mac_unit: bool = False
    late_hits: LateHits = "wait"

    def __post_init__(self) -> None:
        for name in _SIZES:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ArgumentError(f"{name} of the circuit was {value}, but must be at least 1")
        if self.results not in get_args(Results):
            raise ArgumentError(
                f"results of the circuit was {self.results!r}, but must be 'registers' or 'memory'"
            )
        if self.results == "memory" and (self.ports is None or self.ports & (self.ports - 1)):
            raise ArgumentError(
                f"ports of the circuit was {self.ports}, but must be a power of two where results is 'memory'"
            )
        if self.ways > MOST_WAYS:
            raise ArgumentError(f"ways of the circuit was {self.ways}, but must be at most {MOST_WAYS}")
        if self.kernel_rows > self.pes:
            raise ArgumentError(
                f"kernel_rows of the circuit was {self.kernel_rows}, but its array has {self.pes} PEs, and a "
                "PE set has one for each row"
            )

    @classmethod
    def of(cls, accelerator: Accelerator, shape: VectorShape, bits: int, timing: Timing) -> Self:
        """The circuit that ``accelerator`` describes, with room for layers of ``shape``.

        Raises:
            ValueError: the MCACHE or its insertion queues are unlimited, which no circuit is, or
                something doesn't fit.
        """
        for name, value in (
            ("entries", accelerator.entries),
            ("insertion_queue", accelerator.insertion_queue),
        ):
            if value is None:
                raise ArgumentError(
                    f"{name} of accelerator {accelerator.name!r} was None, but a circuit is finite"
                )
        entries, queue = accelerator.entries or 0, accelerator.insertion_queue or 0
        sets = max(1, accelerator.pes // shape.rows)
        return cls(
            pe_rows=accelerator.rows,
            pe_columns=accelerator.columns,
            kernel_rows=shape.rows,
            kernel_columns=shape.elements,
            block=-(-shape.vectors // sets),
            bits=bits,
            cache_sets=entries // accelerator.ways,
            ways=accelerator.ways,
            queue=queue,
            versions=accelerator.results,
            word_bits=accelerator.word_bits,
            overlapped_signatures=accelerator.pipelined_signatures,
            overlapped_products=timing == "fair",
            mac_unit=accelerator.mac_unit,
            late_hits=accelerator.late_hits,
        )

    def accelerator(self) -> Accelerator:
        """What the simulator calls this circuit: signatures reach the MCACHE as PE sets finish them.

        It knows nothing of ports: with fewer than ask at once the circuit is slower.
        """
        return Accelerator(
            name="circuit",
            rows=self.pe_rows,
            columns=self.pe_columns,
            clock_mhz=1,
            entries=self.entries,
            ways=self.ways,
            versions=self.versions,
            pipelined_signatures=self.overlapped_signatures,
            mac_unit=self.mac_unit,
            arrival="interleaved",
            late_hits=self.late_hits,
            insertion_queue=self.queue,
            word_bits=self.word_bits,
        )

    @property
    def timing(self) -> Timing:
        """Which of the simulator's timings the circuit's products have."""
        return "fair" if self.overlapped_products else "paper"

    @property
    def mcache(self) -> MCache:
        """What the simulator calls the MCACHE."""
        return MCache(self.entries, self.ways)

    @property
    def pes(self) -> int:
        """Processing elements of the array."""
        return self.pe_rows * self.pe_columns

    @property
    def sets(self) -> int:
        """PE sets of the array; PEs that are left over are not built."""
        return self.pes // self.kernel_rows

    @property
    def entries(self) -> int:
        """Entries of the MCACHE; their ids are set x ways + way."""
        return self.cache_sets * self.ways

    @property
    def overlaps(self) -> bool:
        """Whether a PE has the register ORg."""
        return self.overlapped_signatures or self.overlapped_products

    @property
    def in_flight(self) -> int:
        """The most results of a PE set that have had their turn and not left."""
        return self.kernel_rows + 2


_SIZES = (
    "pe_rows", "pe_columns", "kernel_rows", "kernel_columns", "block", "bits", "cache_sets", "ways", "queue",
    "versions", "ports", "hitmap_ports", "queue_ports", "word_bits",
)  # fmt: skip
