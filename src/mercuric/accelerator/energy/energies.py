"""What does one access cost, level by level?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose, log
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from mercuric.accelerator.energy.capacity_curve import CapacityCurve, Points
from mercuric.accelerator.hardware import Accelerator
from mercuric.config import Config
from mercuric.errors import ArgumentError

Level = Literal[
    "mac",
    "register_file",
    "pe_to_pe",
    "buffer",
    "dram",
    "link",
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

    A memory's access costs the more, the larger it is: it follows the table's ``curve``, or without one the
    power law through its register file and its buffer, on which an accelerator's own ones lie as well. The
    memories that MERCURY adds cost, where the table doesn't say, what a memory of their capacity does, and at
    least the table's register file.

    Attributes:
        name: what reports call it.
        unit: of every cost: ``"pJ"``, or ``"MAC"`` where costs are relative to an operation.
        source: where the figures come from.
        word_bits: bits of the words that an access reads or writes.
        mac: one multiply-accumulate.
        register_file: one word of a PE's register file of ``register_file_kib``; may be left out where a
            curve says it.
        pe_to_pe: one word from a PE to its neighbour.
        buffer: one word of a global buffer of ``buffer_kib``; may be left out where a curve says it.
        dram: one word of the DRAM, from a row that is open.
        dram_row_miss: one word of the DRAM whose row has to be opened; None: twice ``dram``, as the ends of
            Horowitz' range are, 1.3 and 2.6 nJ.
        link: one word from an array to another; None: as ``pe_to_pe`` over all columns of an array.
        mcache_tag: ``word_bits`` bits of tags in the MCACHE; None: by capacity.
        mcache_data: one result in the MCACHE; None: by capacity.
        signature_table: ``word_bits`` bits of the Signature Table; None: by capacity.
        hitmap: ``word_bits`` bits of the Hitmap; None: by capacity.
        register_file_kib: capacity of the register file that ``register_file`` is of.
        buffer_kib: capacity of the buffer that ``buffer`` is of.
        curve: capacities in KiB and what a word of such a memory costs, as
            :class:`~mercuric.accelerator.energy.capacity_curve.CapacityCurve` has them.

    Raises:
        ValueError: a level is missing, a cost is negative, the buffer is no larger than the register file, a
            row miss costs less than a hit, or the curve is none, or says something else than the levels.
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
    dram_row_miss: _Cost | None = None
    link: _Cost | None = None
    mcache_tag: _Cost | None = None
    mcache_data: _Cost | None = None
    signature_table: _Cost | None = None
    hitmap: _Cost | None = None
    register_file_kib: _Kib = 0.5
    buffer_kib: _Kib = 108
    curve: Points | None = None

    @model_validator(mode="before")
    @classmethod
    def _every_level_is_there(cls, fields: Any) -> Any:
        if isinstance(fields, Mapping):
            fields = cls._with_curve(fields)
            missing = [level for level in REQUIRED if fields.get(level) is None]
            if missing:
                raise ArgumentError(
                    f"energies {fields.get('name', '')!r} give no cost of {', '.join(missing)}; "
                    f"they must give one of each of {', '.join(REQUIRED)}"
                )
        return fields

    @classmethod
    def _with_curve(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the curve says of the register file and the buffer, where the table leaves it to the curve."""
        read: dict[str, float] = {}
        if isinstance(fields.get("curve"), Sequence):
            for level in _ON_CURVE:
                kib = fields.get(f"{level}_kib", cls.model_fields[f"{level}_kib"].default)
                if fields.get(level) is None and isinstance(kib, int | float) and kib > 0:
                    read[level] = CapacityCurve(_points(fields["curve"])).at(kib)
        return {**fields, **read}

    @model_validator(mode="after")
    def _curve_agrees(self) -> Self:
        for level in _ON_CURVE if self._curve else ():
            cost, said = getattr(self, level), self._kib_costs(getattr(self, f"{level}_kib"))
            if not isclose(cost, said, rel_tol=1e-6):
                raise ArgumentError(
                    f"{level} of energies {self.name!r} was {cost}, but must be the {said:.6g} of its curve, "
                    "or be left out"
                )
        return self

    @model_validator(mode="after")
    def _rows_cost(self) -> Self:
        if self.dram_row_miss is not None and self.dram_row_miss < self.dram:
            raise ArgumentError(
                f"dram_row_miss of energies {self.name!r} was {self.dram_row_miss}, but must be at least "
                f"dram, {self.dram}: a row is opened besides"
            )
        return self

    @model_validator(mode="after")
    def _sizes_differ(self) -> Self:
        if self.buffer_kib <= self.register_file_kib:
            raise ArgumentError(
                f"buffer_kib of energies {self.name!r} was {self.buffer_kib}, but must be above "
                f"register_file_kib, {self.register_file_kib}"
            )
        return self

    def memory(self, bits: float) -> float:
        """Cost of a word of a memory that holds ``bits`` bits, by the law that the class tells."""
        return max(self.register_file, self._kib_costs(bits / 8 / 1024)) if bits else self.register_file

    @property
    def exponent(self) -> float:
        """Of the power law; 0 where the table's buffer costs no more than its register file."""
        if not 0 < self.register_file < self.buffer:
            return 0.0
        return log(self.buffer / self.register_file) / log(self.buffer_kib / self.register_file_kib)

    def on(self, accelerator: Accelerator) -> WordCosts:
        """The costs of an accelerator's own register files and buffer, by their capacities."""
        register_kib = accelerator.register_file_words * accelerator.word_bits / 8 / 1024
        if self._curve:
            register, buffer = self._curve.at(register_kib), self._curve.at(accelerator.buffer_kib)
            return WordCosts(register, self.pe_to_pe, buffer)
        return WordCosts(
            float(self.register_file * (register_kib / self.register_file_kib) ** self.exponent),
            self.pe_to_pe,
            float(self.buffer * (accelerator.buffer_kib / self.buffer_kib) ** self.exponent),
        )

    def dram_word(self, row_hits: float) -> float:
        """Cost of a word of the DRAM where a share ``row_hits`` of them is in an open row."""
        miss = 2 * self.dram if self.dram_row_miss is None else self.dram_row_miss
        return float(row_hits * self.dram + (1 - row_hits) * miss)

    @property
    def _curve(self) -> CapacityCurve | None:
        return None if self.curve is None else CapacityCurve(self.curve)

    def _kib_costs(self, kib: float) -> float:
        curve = self._curve
        return (
            curve.at(kib)
            if curve
            else float(self.register_file * (kib / self.register_file_kib) ** self.exponent)
        )


_ON_CURVE: tuple[Literal["register_file"], Literal["buffer"]] = ("register_file", "buffer")


def _points(given: Any) -> Points:
    """What a YAML file has as a curve: pairs of numbers.

    Raises:
        ValueError: it has something else.
    """
    try:
        return tuple((float(kib), float(cost)) for kib, cost in given)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"curve was {given!r}, but must be pairs of a capacity in KiB and the cost of a word"
        ) from None


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


_CACTI = (
    (0.5, 1.3623), (2, 2.6714), (8, 6.0479), (32, 16.998),
    (128, 37.493), (512, 59.903), (2048, 104.47), (8192, 194.13),
)  # fmt: skip
"""KiB, and pJ of a 64-bit read, as ``docs/energy.md`` says how CACTI was run."""


def _cacti(like: Energies) -> Energies:
    """The operations and the DRAM of another table in pJ at 45 nm, and memories by CACTI 7."""
    words = 64 / like.word_bits
    curve = tuple((kib, cost / words) for kib, cost in _CACTI)
    memory = CapacityCurve(curve)
    return Energies(
        name=f"cacti-{like.word_bits}",
        unit=like.unit,
        source="memories: CACTI 7.0, a 64-bit read of an SRAM of one bank at 45 nm (itrs-hp, 360 K, least "
        f"dynamic power); all else: {like.source}",
        word_bits=like.word_bits,
        mac=like.mac,
        register_file=memory.at(0.5),
        pe_to_pe=2 * curve[0][1],
        buffer=memory.at(108),
        dram=like.dram,
        curve=curve,
    )


_HOROWITZ = (_horowitz(16, multiply=1.1, add=0.4), _horowitz(32, multiply=3.7, add=0.9))
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
    *_HOROWITZ,
    *map(_cacti, _HOROWITZ),
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
