"""How many cycles does a fully connected layer take, if every PE is stepped cycle by cycle? (paper III-C3)

The oracle of ``fully_connected.py``: plain integers through multipliers, adders, senders and output
memories, and nothing shared with the recurrence. Slow on purpose; for small shapes. Registers change at
the end of a cycle: what one cycle latches, the next one reads.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from mercuric.similarity.hitmap import HitState
from oracle.dot_product_stepper import DotProducts
from oracle.processing_element import Row


@dataclass(frozen=True)
class Array:
    """How the PEs work.

    Attributes:
        pes: PEs, and inputs of a full block.
        asynchronous: whether a free PE may take an input of the next block while others keep processing.
        pipelined: whether dot products with weights overlap (Fig. 8b).
        pipelined_signatures: the same for signature bits.
        mac_unit: whether a product is added in the cycle that multiplies it.
        free_sends: a result reaches all inputs that match in the cycle in which both are known.
    """

    pes: int
    asynchronous: bool = False
    pipelined: bool = False
    pipelined_signatures: bool = True
    mac_unit: bool = False
    free_sends: bool = False


@dataclass(frozen=True)
class ScopeInputs:
    """The inputs of one scope, (vectors, length), and their Hitmap; filters where its weights are its own."""

    vectors: Sequence[Row]
    states: Sequence[int]
    representatives: Sequence[int]
    filters: Sequence[Row] | None = None


@dataclass(frozen=True)
class SteppedLayer:
    """What the array did: cycles until the last result was there, outputs (scopes, vectors, filters)."""

    cycles: int
    outputs: list[list[list[int]]]


def step_fully_connected(
    scopes: Sequence[ScopeInputs],
    filters: Sequence[Row],
    random_filters: Sequence[Row],
    array: Array,
    anew: int | None = None,
) -> SteppedLayer:
    """Scopes that share their weights, as one sequence of inputs in blocks of ``array.pes``.

    Args:
        scopes: what is multiplied; no input matches one of another scope.
        filters: (filters, length), the weights.
        random_filters: (bits, length): a signature bit each; none where the Hitmap is a saved one.
        array: how the PEs work.
        anew: scopes after which a block begins anew, be the one before full or not; None: it never does.

    Raises:
        ValueError: there are no PEs or no filters, or rows or a scope's parts differ in length.
        RuntimeError: signatures were finished in another order than the input's, two results came to
            the same place in one cycle, or an input came to a place that was still in use.
    """
    _check(scopes, filters, array)
    inputs = _in_order(scopes, filters)
    _number_blocks(inputs, array.pes, anew)
    controller = _Controller(inputs, filters, random_filters, array)
    cycle = 0
    controller.end_cycle()
    while any(len(one.outputs) < len(filters) for one in inputs):
        cycle += 1
        controller.step(cycle)
        controller.end_cycle()
    outputs: list[list[list[int]]] = [[] for _ in scopes]
    for one in inputs:
        outputs[one.scope].append([one.outputs[number] for number in range(len(filters))])
    return SteppedLayer(cycle, outputs)


def _check(scopes: Sequence[ScopeInputs], filters: Sequence[Row], array: Array) -> None:
    if array.pes < 1:
        raise ValueError(f"pes was {array.pes}, but must be at least 1")
    lengths = {len(row) for row in (*filters, *(row for scope in scopes for row in scope.vectors))}
    if not filters or len(lengths) > 1 or 0 in lengths:
        raise ValueError(
            f"vectors and {len(filters)} filters had rows of {sorted(lengths)} elements, but there "
            "must be a filter, and all must have the same length of at least 1"
        )
    for scope in scopes:
        if not len(scope.vectors) == len(scope.states) == len(scope.representatives):
            raise ValueError(
                f"states and representatives had {len(scope.states)} and {len(scope.representatives)} "
                f"entries, but must have one for each of the {len(scope.vectors)} vectors"
            )


class _Input:
    """An input, its signature's tag, and its place in an output memory, which sends what it holds."""

    def __init__(self, number: int, scope: int, row: Row, entry: int, filters: Sequence[Row]) -> None:
        self.number, self.scope, self.row, self.filters = number, scope, row, filters
        self.block, self.opens_block = 0, False
        self.tag = scope, entry
        self.outputs: dict[int, int] = {}
        self._written = 0
        self._matched: list[_Input] = []
        self.live: deque[tuple[_Input, int]] = deque()
        self._earlier: deque[tuple[_Input, int]] = deque()

    def write(self, cycle: int, weight: int, result: int) -> None:
        if self._written == cycle or weight in self.outputs:
            raise RuntimeError(
                f"two results came to input {self.number} in cycle {cycle}, or weight {weight}"
            )
        self._written, self.outputs[weight] = cycle, result

    def compute(self, cycle: int, result: int) -> None:
        """The PE's next result arrives; it is to be sent to all inputs that are known to match."""
        weight = len(self.outputs)
        self.write(cycle, weight, result)
        self.live.extend((later, weight) for later in self._matched)

    def match(self, later: "_Input") -> None:
        """From now on ``later`` gets what is computed; what was computed before is sent when there's time."""
        self._matched.append(later)
        self._earlier.extend((later, weight) for weight in self.outputs)

    def send(self, cycle: int) -> None:
        queue = self.live or self._earlier
        if queue:
            later, weight = queue.popleft()
            later.write(cycle, weight, self.outputs[weight])

    def send_all(self) -> None:
        for later, weight in (*self.live, *self._earlier):
            later.outputs[weight] = self.outputs[weight]
        self.live.clear()
        self._earlier.clear()


def _in_order(scopes: Sequence[ScopeInputs], filters: Sequence[Row]) -> list[_Input]:
    inputs: list[_Input] = []
    for index, scope in enumerate(scopes):
        for vector, (row, state) in enumerate(zip(scope.vectors, scope.states, strict=True)):
            entry = scope.representatives[vector] if state == HitState.HIT else vector
            inputs.append(_Input(len(inputs), index, row, entry, scope.filters or filters))
    return inputs


def _number_blocks(inputs: Sequence[_Input], pes: int, anew: int | None) -> None:
    """Count inputs off: a block ends when it is full, and where the scopes of a weight block end."""
    block, held, group = -1, 0, 0
    for one in inputs:
        own = 0 if anew is None else one.scope // anew
        one.opens_block = block < 0 or held == pes or own != group
        if one.opens_block:
            block, held = block + 1, 0
        one.block, held, group = block, held + 1, own


class _PE:
    """A multiplier and an adder: an input's signature, then its products with the weights."""

    def __init__(self, random_filters: Sequence[Row], array: Array) -> None:
        self._random_filters, self._array = random_filters, array
        self.input: _Input | None = None
        self._signing: DotProducts | None = None
        self._multiplying: DotProducts | None = None

    @property
    def signed(self) -> bool:
        """Whether its input's signature is there, and was not looked up yet."""
        return self._signing is not None and self._signing.finished

    def take(self, taken: _Input) -> None:
        self.input = taken
        self._signing = self._dot_products(self._random_filters, self._array.pipelined_signatures)

    def multiply(self) -> None:
        self._signing = None
        filters = () if self.input is None else self.input.filters
        self._multiplying = self._dot_products(filters, self._array.pipelined)

    def release(self) -> None:
        self.input = self._signing = self._multiplying = None

    def step(self, cycle: int) -> None:
        """One cycle; nothing moves while a result waits for the sends of the one before."""
        if self._signing is not None:
            self._signing.step(cycle)
            self._signing.result = None  # into the signature table
        if self.input is None or self._multiplying is None:
            return
        if self._multiplying.result is None:
            self._multiplying.step(cycle)
        if self._multiplying.result is not None and not self.input.live:
            self.input.compute(cycle, self._multiplying.result)
            self._multiplying.result = None

    def end_cycle(self) -> None:
        if self._multiplying is not None and self._multiplying.finished:
            self.release()

    def _dot_products(self, filters: Sequence[Row], pipelined: bool) -> DotProducts:
        row = self.input.row if self.input is not None else ()
        return DotProducts(row, filters, pipelined=pipelined, mac_unit=self._array.mac_unit)


class _Controller:
    """Hands inputs to PEs in order, and looks signatures up in the MCACHE half of their block."""

    def __init__(
        self, inputs: Sequence[_Input], filters: Sequence[Row], random_filters: Sequence[Row], array: Array
    ) -> None:
        self._array, self._filters = array, filters
        self._pes = [_PE(random_filters, array) for _ in range(array.pes)]
        self._coming = deque(inputs)
        self._looked_up = 0
        halves = 2 if array.asynchronous else 1
        self._memory: list[list[_Input]] = [[] for _ in range(halves)]
        self._tags: list[dict[tuple[int, int], _Input]] = [{} for _ in range(halves)]

    def step(self, cycle: int) -> None:
        """One cycle of every place's sender and of every PE."""
        for half in self._memory:
            for place in half:
                place.send(cycle)
        for pe in self._pes:
            pe.step(cycle)
        self._send_for_free()

    def end_cycle(self) -> None:
        """Look-ups in the input's order, then free PEs by number take inputs; neither takes time."""
        for pe in self._pes:
            pe.end_cycle()
        while self._look_up() or self._hand_out():
            pass

    def _look_up(self) -> bool:
        signed = [(pe.input, pe) for pe in self._pes if pe.input is not None and pe.signed]
        for own, pe in sorted(signed, key=lambda each: each[0].number):
            if own.number != self._looked_up:
                raise RuntimeError(f"input {own.number} was signed before input {self._looked_up}")
            self._looked_up += 1
            representative = self._tags[self._half(own)].setdefault(own.tag, own)
            if representative is own:
                pe.multiply()
            else:
                representative.match(own)
                self._send_for_free()
                pe.release()
        return bool(signed)

    def _hand_out(self) -> bool:
        pe = next((pe for pe in self._pes if pe.input is None), None)
        if pe is None or not self._coming:
            return False
        coming = self._coming[0]
        half = self._half(coming)
        if coming.opens_block:  # it needs a half for itself
            if any(len(place.outputs) < len(self._filters) for place in self._memory[half]):
                return False
            self._memory[half], self._tags[half] = [], {}
        if len(self._memory[half]) == self._array.pes:
            raise RuntimeError(f"input {coming.number} came to half {half}, which was full")
        self._memory[half].append(self._coming.popleft())
        pe.take(coming)
        return True

    def _half(self, of: _Input) -> int:
        return of.block % len(self._memory)

    def _send_for_free(self) -> None:
        if self._array.free_sends:
            for half in self._memory:
                for place in half:
                    place.send_all()
