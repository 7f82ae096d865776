"""What limits a layer: the PEs, the buffer or the DRAM? (S. Williams et al., "Roofline", CACM 2009)"""

from math import ceil
from typing import Literal

from mercuric.accelerator.energy.accesses import Accesses
from mercuric.accelerator.energy.layer_cost import Cost
from mercuric.accelerator.hardware import Accelerator

Bound = Literal["compute", "buffer", "DRAM"]


def edge_words(accelerator: Accelerator) -> int:
    """Words that pass the array's edge in a cycle: one into each row, one into and one out of each column."""
    return accelerator.rows + 2 * accelerator.columns


def buffer_cycles(accelerator: Accelerator, accesses: Accesses, dense: Accesses) -> int:
    """Cycles in which the array's edge takes all words that come from the buffer or go to it.

    The words on the buffer's other side, to and from the DRAM, are not the edge's. They are the same with
    MERCURY and without, but for signatures and Hitmaps, which do not pass the buffer.

    Args:
        accelerator: whose edge it is.
        accesses: of some products of a layer.
        dense: of the same products without reuse.
    """
    return ceil((accesses.buffer - dense.dram) / edge_words(accelerator))


def bound(accelerator: Accelerator, cost: Cost, dense: Cost) -> Bound:
    """Which of the three needs most cycles for a layer's products together; the PEs where they are equal.

    Args:
        accelerator: what the layer runs on.
        cost: of the layer.
        dense: of the same layer without reuse.
    """
    needed: dict[Bound, int] = {
        "compute": cost.cycles,
        "buffer": buffer_cycles(accelerator, cost.accesses, dense.accesses),
        "DRAM": cost.dram_cycles,
    }
    return max(needed, key=lambda limit: needed[limit])
