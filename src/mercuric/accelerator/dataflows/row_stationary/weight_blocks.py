"""Which inputs of a fully connected layer make a block? (paper III-C3; ``docs/fully-connected.md``)"""

from mercuric.accelerator.hardware import Accelerator
from mercuric.reuse.vectors import VectorShape


def inputs_of_a_part(accelerator: Accelerator, shape: VectorShape) -> int:
    """Inputs of a sequence that blocks of PEs are cut from: of one weight block, or of all of them."""
    inputs = shape.vectors * shape.images
    return inputs * shape.depth if accelerator.blocks_at_once == "all" else inputs


def block_starts(inputs: int, pes: int, part: int | None = None) -> list[int]:
    """Where each block of a sequence of ``inputs`` begins, and at last where it ends.

    A block is as many inputs as there are PEs; each ``part`` of the sequence begins anew, all of it where
    None is given.
    """
    parts = range(0, inputs, max(inputs if part is None else part, 1))
    return [start for first in parts for start in range(first, first + parts.step, pes)] + [inputs]


def dense_rounds(starts: list[int], pes: int, lag: int) -> int:
    """How often PEs take inputs that all cost the same, one block after the other, ``lag`` under way."""
    rounds = block = taken = 0
    blocks = len(starts) - 1
    while block < blocks:
        open_until = starts[min(block + lag, blocks)]
        taken = min(taken + pes, open_until)
        while block < blocks and starts[block + 1] <= taken:
            block += 1
        rounds += 1
    return rounds


def blocks_under_way(asynchronous: bool) -> int:
    """MCACHE parts: blocks that may be under way."""
    return 2 if asynchronous else 1
