"""What limits a layer: PEs, buffer, DRAM or link? (S. Williams et al., "Roofline", CACM 2009)"""

from math import ceil
from typing import Literal

from mercuric.accelerator.energy.accesses import Accesses
from mercuric.accelerator.energy.layer_cost import Cost
from mercuric.accelerator.hardware import Accelerator

Bound = Literal["compute", "buffer", "DRAM", "link"]


def edge_words(accelerator: Accelerator) -> int:
    """Words that pass the array's edge in a cycle: one into each row, one into and one out of each column."""
    return accelerator.rows + 2 * accelerator.columns


def buffer_cycles(accelerator: Accelerator, accesses: Accesses, dense: Accesses) -> int:
    """Cycles in which the arrays' edges take all words that come from the buffers or go to them.

    The words on the buffers' other side, to and from the DRAM and other arrays, are not the edge's. They are
    the same with MERCURY and without, but for signatures and Hitmaps, which do not pass the buffer.

    Args:
        accelerator: whose edge it is.
        accesses: of some products of a layer.
        dense: of the same products without reuse.
    """
    inner = accesses.buffer - dense.dram - dense.link
    return ceil(inner / (edge_words(accelerator) * accelerator.arrays))


def bound(accelerator: Accelerator, cost: Cost, dense: Cost) -> Bound:
    """Which of the four needs most cycles for a layer's products together; the PEs where they are equal.

    Args:
        accelerator: what the layer runs on.
        cost: of the layer.
        dense: of the same layer without reuse.
    """
    needed: dict[Bound, int] = {
        "compute": cost.cycles,
        "buffer": buffer_cycles(accelerator, cost.accesses, dense.accesses),
        "DRAM": cost.dram_cycles,
        "link": cost.link_cycles,
    }
    return max(needed, key=lambda limit: needed[limit])
