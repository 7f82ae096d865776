"""Which accelerator is simulated?"""

from typing import Self

from pydantic import model_validator

from mercuric.accelerator.dot_product import Timing
from mercuric.config import Config


class Accelerator(Config):
    """An array of processing elements (PEs) with an MCACHE beside it.

    Attributes:
        name: what reports call it.
        pes: processing elements of the array.
        clock_mhz: core clock in MHz; turns cycles into seconds.
        entries: signatures that the MCACHE holds; None: as many as there are.
        ways: entries of one MCACHE set.
        timing: which of the two timings a report leads with (every count has both).

    Raises:
        ValueError: a number is out of range, or ``ways`` does not divide ``entries``.
    """

    name: str
    pes: int
    clock_mhz: float
    entries: int | None
    ways: int
    timing: Timing = "paper"

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        for argument in ("pes", "ways", "entries"):
            value = getattr(self, argument)
            if value is not None and value < 1:
                raise ValueError(
                    f"{argument} of accelerator {self.name!r} was {value}, but must be at least 1"
                )
        if not 0 < self.clock_mhz < float("inf"):
            raise ValueError(
                f"clock_mhz of accelerator {self.name!r} was {self.clock_mhz}, but must be a number above 0"
            )
        if self.entries is not None and self.entries % self.ways:
            raise ValueError(
                f"entries of accelerator {self.name!r} was {self.entries}, but must be a multiple of ways, "
                f"{self.ways}"
            )
        return self

    def seconds(self, cycles: int) -> float:
        """Time that ``cycles`` cycles take at this clock, in seconds."""
        return cycles / (self.clock_mhz * 1e6)


_PRESETS = (
    # Paper VI gives PEs, entries and ways, and no clock: 200 MHz is the published core clock of Eyeriss.
    Accelerator(name="eyeriss-168", pes=168, clock_mhz=200, entries=1024, ways=16),
)


def presets() -> tuple[Accelerator, ...]:
    """The accelerators that come with the package."""
    return _PRESETS


def preset(name: str) -> Accelerator:
    """The accelerator called ``name``.

    Raises:
        ValueError: no preset has this name.
    """
    for accelerator in _PRESETS:
        if accelerator.name == name:
            return accelerator
    names = ", ".join(repr(accelerator.name) for accelerator in _PRESETS)
    raise ValueError(f"accelerator was {name!r}, but must be one of {names} or an Accelerator")


def as_accelerator(accelerator: str | Accelerator) -> Accelerator:
    """The accelerator itself, or the preset of that name.

    Raises:
        ValueError: no preset has this name.
    """
    return preset(accelerator) if isinstance(accelerator, str) else accelerator
