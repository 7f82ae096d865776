"""What does it cost that a flip-flop is clocked, that a net flips, that two numbers are multiplied?"""

from math import sqrt
from typing import Annotated

from pydantic import Field

from mercuric.config import Config

_Cost = Annotated[float, Field(ge=0)]
WIRE_FF_PER_UM = 0.2
"""About the same at every node: R. Ho, K. Mai, M. Horowitz, The future of wires, Proc. IEEE 2001."""


class CellEnergies(Config):
    """Energy of what happens in a circuit's cells, in pJ.

    Attributes:
        name: what reports call it.
        source: where the figures come from.
        volts: that they are at.
        clock: of a flip-flop in a cycle in which it keeps its bit.
        register_flip: of a flip-flop whose bit flips, beyond ``clock``.
        gate_flip: of a gate whose output flips.
        pin_ff: capacitance in fF of an input that a wire leads to.
        multiply: of two words.
        add: of two words.
        wire_um: length of a net's wire to one of those that take it; taken here, no layout is known.
    """

    name: str
    source: str
    volts: Annotated[float, Field(gt=0)]
    clock: _Cost
    register_flip: _Cost
    gate_flip: _Cost
    pin_ff: _Cost
    multiply: _Cost
    add: _Cost
    wire_um: _Cost = 50.0

    @property
    def wire_flip(self) -> float:
        """Half C V^2 of a wire and the pin at its end."""
        return (WIRE_FF_PER_UM * self.wire_um + self.pin_ff) * self.volts**2 / 2 / 1000


def _between(narrow: float, wide: float) -> float:
    """Of 16 bits, by the power law through 8 and 32."""
    return sqrt(narrow * wide)


_NANGATE_VOLTS, _HOROWITZ_VOLTS = 1.1, 0.9
_BY_VOLTS = (_HOROWITZ_VOLTS / _NANGATE_VOLTS) ** 2 / 1000  # fJ to pJ
_CLOCK_RISE, _CLOCK_FALL = (2.419 + 2.608) / 2, (4.474 + 4.243) / 2  # CK of a DFF_X1 that keeps its bit
_CLOCK_PIN = 0.950 * _NANGATE_VOLTS**2
_DATA, _OUT = (4.233 + 4.176 + 3.057 + 3.018) / 4, (4.093 + 4.303) / 2  # D and Q of a DFF_X1 whose bit flips
_NAND_FALL, _NAND_RISE = (0.470 + 0.438 + 0.431) / 3, (2.472 + 3.192 + 3.786) / 3

CELLS_45NM = CellEnergies(
    name="45 nm, 0.9 V",
    source="flip-flops and gates: DFF_X1 and NAND3_X1 of the Nangate 45 nm open cell library, typical corner "
    "(1.1 V, 25 C), inputs that rise in 17 ps, 3.7 fF at outputs, by the square of the voltage to 0.9 V; "
    "arithmetic: integers of 8 and 32 bits in M. Horowitz, Computing's energy problem, ISSCC 2014 (45 nm, "
    "0.9 V), 16 bits by the power law through both; wires: 0.2 pF/mm (R. Ho, K. Mai, M. Horowitz, The future "
    "of wires, 2001)",
    volts=_HOROWITZ_VOLTS,
    clock=(_CLOCK_RISE + _CLOCK_FALL + _CLOCK_PIN) * _BY_VOLTS,
    register_flip=(_DATA + _OUT - _CLOCK_RISE) * _BY_VOLTS,
    gate_flip=(_NAND_FALL + _NAND_RISE) / 2 * _BY_VOLTS,
    pin_ff=1.14,
    multiply=_between(0.2, 3.1),
    add=_between(0.03, 0.1),
)
"""A clock of a flip-flop takes 5.4 fJ, a flip of its bit 3.6 fJ more, of a gate 1.2 fJ, of a wire 4.5 fJ."""
