"""What happens in a synchronous circuit while it works on a layer? Flips and operations, phase by phase."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from mercuric.config import Config
from mercuric.errors import MercuricError
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.nets import Kind, Net, elaborate
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Integers, Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.toggles import Section, Toggles

Phase = Literal["signatures", "products"]
"""From the first random filter to the Hitmap, queues included; and the filters."""
ByComponent = dict[str, dict[Kind, int]]
_PATIENCE = 100_000


class PhaseActivity(Config):
    """What happened in a phase.

    Attributes:
        cycles: of the clock.
        operations: how often what was done, by the names of :data:`~mercuric.rtl.toggles.OPERATIONS`.
        flips: of bits, by component and kind of net.
    """

    cycles: int
    operations: dict[str, int]
    flips: ByComponent


class Activity(Config):
    """What happened in a circuit while it worked on a layer.

    Attributes:
        pe_sets: of the array.
        filters: of the layer.
        bits: of nets, by component and kind.
        phases: without MERCURY there are no signatures.
    """

    pe_sets: int
    filters: int
    bits: ByComponent
    phases: dict[Phase, PhaseActivity]


def activity(
    parameters: Parameters, stimulus: Stimulus, kind: type[SynchronousArray] | type[BaselineArray]
) -> Activity:
    """Run a layer in Amaranth's simulator, compare its results, and count what the circuit did.

    Loads of input vectors are not counted, as the cycle model counts none.

    Args:
        parameters: sizes and options.
        stimulus: the layer.
        kind: with MERCURY or without.

    Raises:
        MercuricError: a result differs from the stimulus', or the circuit doesn't come to an end.
    """
    array = kind(parameters)
    circuit = elaborate(array)
    toggles = Toggles(circuit)
    run = _Run(array, parameters, stimulus, toggles)
    circuit.simulator.add_clock(1e-6)
    circuit.simulator.add_testbench(run.bench)
    with circuit.simulator.write_vcd(toggles):
        circuit.simulator.run()
    hitmap = stimulus.hitmap(parameters)[0] if run.reuses else None
    expected = stimulus.outputs(parameters, hitmap)
    if not np.array_equal(run.outputs, expected):
        raise MercuricError(
            f"{int((run.outputs != expected).sum())} of {expected.size} results of the circuit differ from "
            "the layer's"
        )
    return Activity(
        pe_sets=parameters.sets,
        filters=len(stimulus.filters),
        bits=_by_component((net, net.width) for net in circuit.nets),
        phases={name: _phase(section) for name, section in toggles.sections.items()},
    )


def _phase(section: Section) -> PhaseActivity:
    flips = _by_component(section.flips.items())
    return PhaseActivity(cycles=section.cycles, operations=dict(section.operations), flips=flips)


def _by_component(counts: Iterable[tuple[Net, int]]) -> ByComponent:
    found: dict[str, dict[Kind, int]] = defaultdict(lambda: defaultdict(int))
    for net, count in counts:
        found[net.component][net.kind] += count
    return {component: dict(kinds) for component, kinds in found.items()}


class _Run:
    """A test bench that loads a scope, gives filters as they are taken, and keeps the results."""

    def __init__(
        self,
        array: SynchronousArray | BaselineArray,
        parameters: Parameters,
        stimulus: Stimulus,
        toggles: Toggles,
    ) -> None:
        self.reuses = isinstance(array, SynchronousArray)
        self.outputs: Integers = np.full(
            (len(stimulus.vectors), len(stimulus.filters), stimulus.shape.vectors), -1, dtype=np.int64
        )
        self._array, self._parameters = array, parameters
        self._stimulus, self._toggles = stimulus, toggles

    async def bench(self, simulated: Any) -> None:
        """All scopes, one after the other."""
        for scope in range(len(self._stimulus.vectors)):
            await self._load(simulated, scope)
            await self._work(simulated, scope)

    async def _load(self, simulated: Any, scope: int) -> None:
        array = self._array
        simulated.set(array.write, 1)
        for pe_set, block in enumerate(self._stimulus.slots(self._parameters)):
            simulated.set(array.lengths[pe_set], len(block))
            simulated.set(array.write_set, pe_set)
            for slot, vector in enumerate(block):
                simulated.set(array.write_slot, slot)
                for column in range(self._parameters.kernel_columns):
                    words = self._stimulus.vectors[scope, vector][:, column]
                    simulated.set(array.write_column, column)
                    simulated.set(array.write_words, words.tolist())
                    await simulated.tick()
        simulated.set(array.write, 0)

    async def _work(self, simulated: Any, scope: int) -> None:
        array, filters = self._array, list(self._stimulus.filters)
        random = list(self._stimulus.random_filters) if self.reuses else []
        windows = [window.ravel().tolist() for window in (*random, *filters)]
        left = [dict.fromkeys(block, 0) for block in self._stimulus.slots(self._parameters)]
        taken = 0
        simulated.set(array.filters, len(filters))
        for _ in range(_PATIENCE):
            simulated.set(array.start, taken == 0)
            simulated.set(array.filter_valid, taken < len(windows))
            if taken < len(windows):
                simulated.set(array.filter, windows[taken])
            self._collect(simulated, scope, left)
            taken += simulated.get(array.filter_take)
            await simulated.tick()
            if taken and not simulated.get(array.busy):
                self._toggles.begin(None)
                return
            phase: Phase = "signatures" if taken <= len(random) else "products"
            self._toggles.begin(phase)
        raise MercuricError(f"the circuit was still busy after {_PATIENCE} cycles")

    def _collect(self, simulated: Any, scope: int, left: list[dict[int, int]]) -> None:
        for results, block in zip(self._array.results, left, strict=True):
            if simulated.get(results.valid):
                vector = list(block)[simulated.get(results.slot)]
                word = simulated.get(results.word) & ((1 << self._parameters.word_bits) - 1)
                self.outputs[scope, block[vector], vector] = word
                block[vector] += 1
