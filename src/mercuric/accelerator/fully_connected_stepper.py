"""How many cycles does a fully connected layer take, if every PE is stepped cycle by cycle? (paper III-C3)

The oracle of ``fully_connected.py``: plain integers through multipliers, adders, senders and output
memories, and nothing shared with the recurrence. Slow on purpose; for small shapes. Registers change at
the end of a cycle: what one cycle latches, the next one reads.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mercuric.accelerator.dot_product_stepper import DotProducts
from mercuric.accelerator.processing_element import Row
from mercuric.similarity.hitmap import HitState


@dataclass(frozen=True)
class Array:
    """How the PEs work.

    Attributes:
        pes: inputs of a block.
        asynchronous: whether a PE may go on to the next block while others keep processing.
        pipelined: whether dot products with weights overlap (Fig. 8b).
        pipelined_signatures: the same for signature bits.
        mac_unit: whether a product is added in the cycle that multiplies it.
        free_sends: a result reaches all later PEs in the cycle it is ready.
    """

    pes: int
    asynchronous: bool = False
    pipelined: bool = False
    pipelined_signatures: bool = True
    mac_unit: bool = False
    free_sends: bool = False


@dataclass(frozen=True)
class ScopeInputs:
    """Inputs that share an MCACHE: (vectors, length) times (filters, length), and the scope's Hitmap."""

    vectors: Sequence[Row]
    filters: Sequence[Row]
    states: Sequence[int]
    representatives: Sequence[int]


@dataclass(frozen=True)
class SteppedLayer:
    """What the array did.

    Attributes:
        cycles: until the last result was sent.
        outputs: (scopes, vectors, filters).
        races: cycles in which a PE's output memory took a result of its own or of one block, and another
            PE's of the other block.
    """

    cycles: int
    outputs: list[list[list[int]]]
    races: int


def step_fully_connected(
    scopes: Sequence[ScopeInputs], random_filters: Sequence[Row], array: Array
) -> SteppedLayer:
    """Blocks of ``array.pes`` inputs, scope after scope, each PE with one input of a block.

    Args:
        scopes: what is multiplied.
        random_filters: (bits, length): a signature bit each; none where the Hitmap is a saved one.
        array: how the PEs work.

    Raises:
        ValueError: there are no PEs, a scope has no filters, or its parts differ in length.
        RuntimeError: two results reached one half of an output memory in the same cycle, or a half whose
            last block was still under way.
    """
    blocks = _deal(scopes, array.pes, saved=not random_filters)
    memories = [_OutputMemory() for _ in range(array.pes)]
    pes = [_PE(index, blocks, random_filters, array, memories) for index in range(array.pes)]
    cycle = 0
    while True:
        while any(pe.advance() for pe in pes):
            pass
        if all(block.finished for block in blocks):
            break
        cycle += 1
        for pe in pes:
            pe.step(cycle)
    outputs: list[list[list[int]]] = [[] for _ in scopes]
    for block in blocks:
        outputs[block.scope].extend([result[f] for f in sorted(result)] for result in block.outputs)
    return SteppedLayer(cycle, outputs, sum(memory.races for memory in memories))


@dataclass
class _Block:
    """One input for each PE; ``receivers`` are the later PEs of each PE that computes."""

    number: int
    scope: int
    vectors: Sequence[Row]
    filters: Sequence[Row]
    receivers: dict[int, list[int]]
    saved: bool
    signed: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    outputs: list[dict[int, int]] = field(default_factory=list)

    @property
    def hitmap_complete(self) -> bool:
        return self.saved or len(self.signed) == len(self.vectors)

    @property
    def finished(self) -> bool:
        return len(self.done) == len(self.vectors)


def _deal(scopes: Sequence[ScopeInputs], pes: int, saved: bool) -> list[_Block]:
    if pes < 1:
        raise ValueError(f"pes was {pes}, but must be at least 1")
    blocks: list[_Block] = []
    for index, scope in enumerate(scopes):
        lengths = {len(row) for row in (*scope.vectors, *scope.filters)}
        if not scope.filters or len(lengths) > 1 or 0 in lengths:
            raise ValueError(
                f"vectors and {len(scope.filters)} filters had rows of {sorted(lengths)} elements, but there "
                "must be a filter, and all must have the same length of at least 1"
            )
        if not len(scope.vectors) == len(scope.states) == len(scope.representatives):
            raise ValueError(
                f"states and representatives had {len(scope.states)} and {len(scope.representatives)} "
                f"entries, but must have one for each of the {len(scope.vectors)} vectors"
            )
        for start in range(0, len(scope.vectors), pes):
            numbers = range(start, min(start + pes, len(scope.vectors)))
            vectors = [scope.vectors[number] for number in numbers]
            block = _Block(len(blocks), index, vectors, scope.filters, _match(scope, numbers), saved)
            block.outputs = [{} for _ in vectors]
            blocks.append(block)
    return blocks


def _match(scope: ScopeInputs, numbers: range) -> dict[int, list[int]]:
    """The first of a block to carry a signature computes, whoever carried it in an earlier block."""
    computes: dict[int, int] = {}
    receivers: dict[int, list[int]] = {}
    for pe, number in enumerate(numbers):
        hit = scope.states[number] == HitState.HIT
        entry = scope.representatives[number] if hit else number
        if entry in computes:
            receivers[computes[entry]].append(pe)
        else:
            computes[entry] = pe
            receivers[pe] = []
    return receivers


class _OutputMemory:
    """A PE's results: one write a cycle into each half, and blocks take the halves in turn."""

    def __init__(self) -> None:
        self._written = [0, 0]
        self._owner: list[_Block | None] = [None, None]
        self.races = 0

    def write(self, cycle: int, block: _Block, pe: int, weight: int, result: int) -> None:
        half = block.number % 2
        owner = self._owner[half]
        if owner is not None and owner is not block and not owner.finished:
            raise RuntimeError(
                f"block {block.number} wrote in cycle {cycle}, before block {owner.number} left"
            )
        if self._written[half] == cycle:
            raise RuntimeError(f"two results reached half {half} of PE {pe}'s memory in cycle {cycle}")
        self._written[half], self._owner[half] = cycle, block
        self.races += self._written[1 - half] == cycle
        block.outputs[pe][weight] = result


class _PE:
    """Signs its input, multiplies it where it misses, and sends the results to later PEs."""

    def __init__(
        self,
        index: int,
        blocks: Sequence[_Block],
        random_filters: Sequence[Row],
        array: Array,
        memories: Sequence[_OutputMemory],
    ) -> None:
        self._index, self._array, self._memories = index, array, memories
        self._random_filters = random_filters
        self._all_blocks = blocks
        self._coming = deque(block for block in blocks if index < len(block.vectors))
        self._block: _Block | None = None
        self._signing: DotProducts | None = None
        self._multiplying: DotProducts | None = None
        self._weight = -1
        self._register = 0
        self._sending: _Block | None = None
        self._receivers: deque[int] = deque()

    def advance(self) -> bool:
        """Whether it went on to something else, which takes no cycle."""
        block = self._block
        if block is None:
            return self._load()
        if self._signing is not None:
            if not self._signing.finished:
                return False
            self._signing = None
            block.signed.add(self._index)
        elif self._multiplying is not None:
            if not self._multiplying.finished:
                return False
            self._block = self._multiplying = None
        elif not block.hitmap_complete:
            return False
        elif self._index in block.receivers:
            self._multiplying = self._dot_products(block, block.filters, self._array.pipelined)
        else:
            block.done.add(self._index)
            self._block = None
        return True

    def step(self, cycle: int) -> None:
        """One cycle of the sender, and of the multiplier and adder unless a result waits for the sender."""
        if self._sending is not None and self._receivers:
            self._send(cycle, self._sending, self._receivers.popleft())
        if self._signing is not None:
            self._signing.step(cycle)
            self._signing.result = None  # into the signature table
        elif self._multiplying is not None and self._block is not None:
            if self._multiplying.result is None:
                self._multiplying.step(cycle)
            if self._multiplying.result is not None and not self._receivers:
                self._leave(cycle, self._block, self._multiplying.result)
                self._multiplying.result = None

    def _load(self) -> bool:
        if not self._coming:
            return False
        block = self._coming[0]
        held = block.number - (2 if self._array.asynchronous else 1)
        if held >= 0 and not self._all_blocks[held].finished:
            return False
        self._block = self._coming.popleft()
        if self._random_filters:
            pipelined = self._array.pipelined_signatures
            self._signing = self._dot_products(block, self._random_filters, pipelined)
        return True

    def _dot_products(self, block: _Block, filters: Sequence[Row], pipelined: bool) -> DotProducts:
        row = block.vectors[self._index]
        return DotProducts(row, filters, pipelined=pipelined, mac_unit=self._array.mac_unit)

    def _leave(self, cycle: int, block: _Block, result: int) -> None:
        self._weight = self._weight + 1 if self._sending is block else 0
        self._register, self._sending = result, block
        self._receivers.extend(block.receivers[self._index])
        self._send(cycle, block, self._index)
        while self._array.free_sends and self._receivers:
            self._send(cycle, block, self._receivers.popleft())

    def _send(self, cycle: int, block: _Block, pe: int) -> None:
        self._memories[pe].write(cycle, block, pe, self._weight, self._register)
        if not self._receivers and self._weight == len(block.filters) - 1:
            block.done.add(self._index)
