"""Which circuits are run on which layer?"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mercuric.accelerator.energy.virtex7 import MCACHES
from mercuric.config import Config, require_once
from mercuric.errors import ArgumentError

_Size = Annotated[int, Field(strict=True, ge=1)]


class PowerConfig(Config):
    """The circuits whose activity is counted.

    Attributes:
        mcaches: sets and ways of each; the baseline comes by itself.
        pe_rows: rows of PEs of the circuits that are run.
        pe_columns: columns of PEs; fewer than the chip's 14, whose simulation takes hours.
        windows: ``"photograph"``: neighbours in one; ``"drawn"``: at random, of which hardly any are alike.
        side: of the photograph's feature map; as many of its windows as there is room for are run.
        block: windows that a PE set has room for.
        bits: of a signature.
        ports: to the MCACHE's results, for reading and for writing; None: one a PE set.
        hitmap_ports: as in :class:`~mercuric.rtl.parameters.Parameters`.
        queue_ports: as there.
        filters: that are run; all take the same power.
        seed: of the filters' numbers.
    """

    mcaches: tuple[tuple[_Size, _Size], ...] = MCACHES
    pe_rows: _Size = 12
    pe_columns: _Size = 2
    windows: Literal["photograph", "drawn"] = "photograph"
    side: _Size = 28
    block: _Size = 14
    bits: _Size = 20
    ports: _Size | None = 2
    hitmap_ports: _Size | None = 1
    queue_ports: _Size | None = 1
    filters: _Size = 3
    seed: Annotated[int, Field(strict=True, ge=0)] = 0

    @model_validator(mode="after")
    def _once(self) -> "PowerConfig":
        require_once("mcaches", [f"{sets} x {ways}" for sets, ways in self.mcaches])
        if self.pe_rows * self.pe_columns < 3:
            raise ArgumentError(
                f"the array has {self.pe_rows} x {self.pe_columns} PEs, but a PE set of a 3 x 3 kernel has 3"
            )
        return self
