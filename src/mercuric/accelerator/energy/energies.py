"""What does one access cost, level by level?"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from mercuric.accelerator.hardware import Accelerator
from mercuric.config import Config
from mercuric.errors import ArgumentError

Level = Literal[
    "mac",
    "register_file",
    "pe_to_pe",
    "buffer",
    "dram",
    "mcache_tag",
    "mcache_data",
    "signature_table",
    "hitmap",
]
LEVELS: tuple[Level, ...] = get_args(Level)
REQUIRED: tuple[Level, ...] = LEVELS[:5]
"""Levels that a table must give; the others follow from their capacity where it doesn't."""

_Cost = Annotated[float, Field(ge=0)]
_Kib = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class WordCosts:
    """What a word costs on an accelerator, on its way from the buffer into a PE and in it."""

    register_file: float
    pe_to_pe: float
    buffer: float


class Energies(Config):
    """Energy of one operation and of one access to one word.

    A memory's access costs the more, the larger it is: it follows the power law through the register file
    and the buffer of the table, on which an accelerator's own ones lie as well. The memories that MERCURY
    adds cost, where the table doesn't say, what a memory of their capacity does, and at least the table's
    register file.

    Attributes:
        name: what reports call it.
        unit: of every cost: ``"pJ"``, or ``"MAC"`` where costs are relative to an operation.
        source: where the figures come from.
        word_bits: bits of the words that an access reads or writes.
        mac: one multiply-accumulate.
        register_file: one word of a PE's register file of ``register_file_kib``.
        pe_to_pe: one word from a PE to its neighbour.
        buffer: one word of a global buffer of ``buffer_kib``.
        dram: one word of the DRAM.
        mcache_tag: ``word_bits`` bits of tags in the MCACHE; None: by capacity.
        mcache_data: one result in the MCACHE; None: by capacity.
        signature_table: ``word_bits`` bits of the Signature Table; None: by capacity.
        hitmap: ``word_bits`` bits of the Hitmap; None: by capacity.
        register_file_kib: capacity of the register file that ``register_file`` is of.
        buffer_kib: capacity of the buffer that ``buffer`` is of.

    Raises:
        ValueError: a level is missing, a cost is negative, or the buffer is no larger than the register file.
    """

    name: str
    unit: str
    source: str = "the user's own figures"
    word_bits: Annotated[int, Field(strict=True, ge=1)] = 16
    mac: _Cost
    register_file: _Cost
    pe_to_pe: _Cost
    buffer: _Cost
    dram: _Cost
    mcache_tag: _Cost | None = None
    mcache_data: _Cost | None = None
    signature_table: _Cost | None = None
    hitmap: _Cost | None = None
    register_file_kib: _Kib = 0.5
    buffer_kib: _Kib = 108

    @model_validator(mode="before")
    @classmethod
    def _every_level_is_there(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            missing = [level for level in REQUIRED if fields.get(level) is None]
            if missing:
                raise ArgumentError(
                    f"energies {fields.get('name', '')!r} give no cost of {', '.join(missing)}; "
                    f"they must give one of each of {', '.join(REQUIRED)}"
                )
        return fields

    @model_validator(mode="after")
    def _sizes_differ(self) -> Self:
        if self.buffer_kib <= self.register_file_kib:
            raise ArgumentError(
                f"buffer_kib of energies {self.name!r} was {self.buffer_kib}, but must be above "
                f"register_file_kib, {self.register_file_kib}"
            )
        return self

    def memory(self, bits: float) -> float:
        """Cost of a word of a memory that holds ``bits`` bits, by the power law that the class tells."""
        kib = bits / 8 / 1024
        return float(self.register_file * max(1.0, kib / self.register_file_kib) ** self.exponent)

    @property
    def exponent(self) -> float:
        """Of the power law; 0 where the table's buffer costs no more than its register file."""
        if not 0 < self.register_file < self.buffer:
            return 0.0
        return log(self.buffer / self.register_file) / log(self.buffer_kib / self.register_file_kib)

    def on(self, accelerator: Accelerator) -> WordCosts:
        """The costs of an accelerator's own register files and buffer, by their capacities."""
        register_kib = accelerator.register_file_words * accelerator.word_bits / 8 / 1024
        return WordCosts(
            float(self.register_file * (register_kib / self.register_file_kib) ** self.exponent),
            self.pe_to_pe,
            float(self.buffer * (accelerator.buffer_kib / self.buffer_kib) ** self.exponent),
        )


def _horowitz(bits: int, multiply: float, add: float) -> Energies:
    """ISSCC 2014, Fig. 1.1.9: caches of 8 KiB, 32 KiB and 1 MiB at 10, 20 and 100 pJ a 64-bit access."""
    words = 64 / bits
    register_file = 10 * (0.5 / 8) ** 0.5 / words
    between = log(100 / 20) / log(1024 / 32)
    return Energies(
        name=f"horowitz-{bits}",
        unit="pJ",
        source="M. Horowitz, Computing's energy problem, ISSCC 2014: 45 nm, 0.9 V; "
        f"{bits}-bit floating point; memories by capacity, a 64-bit DRAM access at 1.3 nJ",
        word_bits=bits,
        mac=multiply + add,
        register_file=register_file,
        pe_to_pe=2 * register_file,
        buffer=20 * (108 / 32) ** between / words,
        dram=1300 / words,
    )


_TABLES = (
    Energies(
        name="eyeriss",
        unit="MAC",
        source="Y. Chen, J. Emer, V. Sze, Eyeriss, ISCA 2016, Table IV: 65 nm, 16 bits, relative to a MAC",
        mac=1,
        register_file=1,
        pe_to_pe=2,
        buffer=6,
        dram=200,
    ),
    _horowitz(16, multiply=1.1, add=0.4),
    _horowitz(32, multiply=3.7, add=0.9),
)


def tables() -> tuple[Energies, ...]:
    """The tables that come with the package."""
    return _TABLES


def as_energies(energies: str | Path | Energies) -> Energies:
    """The table itself, the package's table of that name, or what a YAML file of that name holds.

    Raises:
        ValueError: no table has this name, and no YAML file; or the file's contents are wrong.
    """
    if isinstance(energies, Energies):
        return energies
    if Path(energies).suffix in (".yaml", ".yml"):
        return Energies.read(Path(energies))
    for table in _TABLES:
        if table.name == str(energies):
            return table
    names = ", ".join(repr(table.name) for table in _TABLES)
    raise ArgumentError(f"energies was {str(energies)!r}, but must be one of {names}, or a YAML file")
