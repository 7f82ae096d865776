"""Which circuits are synthesized?"""

from itertools import product
from typing import Any, Self

from pydantic import field_validator, model_validator

from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.energy.virtex7 import MCACHES
from mercuric.config import Config, require_once
from mercuric.errors import ArgumentError
from mercuric.rtl.parameters import Parameters, Results

SETS, WAYS = 64, 16
"""Of the MCACHE that the paper chose (VII-C)."""


class SynthesisConfig(Config):
    """The baseline and MERCURY with MCACHEs of several sizes, all else alike.

    Attributes:
        sets: of the MCACHE; None: 64, or where ``ways`` is None too, the paper's seven designs.
        ways: of a set; None: 16, or as above. Of lists of both every pair is synthesized.
        rows: of the PE array.
        columns: of the PE array.
        kernel_rows: of a window; a PE set has a PE for each: by default a column of the array, so that there
            are 14 PE sets.
        kernel_columns: elements of a window's row.
        bits: of a signature.
        block: input vectors that a PE set has room for.
        queue: requests that a cache set's insertion queue holds.
        word_bits: of inputs, weights, sums and results.
        timing: whether dot products overlap as signature bits do (``fair``) or not (``paper``).
        mac_unit: whether a PE multiplies and adds in one cycle.
        results: whether the MCACHE's results are in ``registers``, as in the paper (V), or in a ``memory``.
        ports: to read and to write them; None: one for each PE set.
        hitmap_ports: rows of a PE set's Hitmap that are written in a cycle; None: one for each cache set.
        queue_ports: signatures that an insertion queue takes in a cycle; None: one of each PE set.
    """

    sets: tuple[int, ...] | None = None
    ways: tuple[int, ...] | None = None
    rows: int = 12
    columns: int = 14
    kernel_rows: int = 12
    kernel_columns: int = 3
    bits: int = 20
    block: int = 16
    queue: int = 4
    word_bits: int = 16
    timing: Timing = "paper"
    mac_unit: bool = False
    results: Results = "registers"
    ports: int | None = None
    hitmap_ports: int | None = 1
    queue_ports: int | None = 1

    @field_validator("sets", "ways")
    @classmethod
    def _each_once(cls, values: tuple[int, ...] | None, about: Any) -> tuple[int, ...] | None:
        if values is not None:
            if not values:
                raise ArgumentError(f"{about.field_name} was empty, but must have at least one number")
            require_once(str(about.field_name), values)
        return values

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        for sets, ways in self.designs():
            self.parameters(sets, ways)
        return self

    def designs(self) -> list[tuple[int, int]]:
        """Sets and ways of every MCACHE."""
        if self.sets is None and self.ways is None:
            return list(MCACHES)
        return list(product(self.sets or (SETS,), self.ways or (WAYS,)))

    def parameters(self, sets: int, ways: int) -> Parameters:
        """The circuit with an MCACHE of so many sets and ways.

        Raises:
            ValueError: a size is out of range.
        """
        return Parameters(
            pe_rows=self.rows, pe_columns=self.columns, kernel_rows=self.kernel_rows,
            kernel_columns=self.kernel_columns, block=self.block, bits=self.bits, cache_sets=sets, ways=ways,
            queue=self.queue, results=self.results, ports=self.ports, hitmap_ports=self.hitmap_ports,
            queue_ports=self.queue_ports, word_bits=self.word_bits,
            overlapped_products=self.timing == "fair", mac_unit=self.mac_unit,
        )  # fmt: skip
