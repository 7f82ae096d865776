"""How many cycles do pairs of filter and vector take that are dealt to PE sets, if every PE is stepped?

The oracle of ``dealing="products"``: pairs are listed filter by filter, cut into blocks, and go one after
the other through the PEs of their set. Nothing is shared with the closed forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mercuric.accelerator.hardware import Design, LateHits
from oracle.pe_set_stepper import FilterResults, Window
from oracle.stepper import Array, deal, window_rows
from oracle.worker import Load, SteppedScope, Task, Worker, dense_results, run


@dataclass(frozen=True)
class SteppedProducts:
    """What the array did.

    Attributes:
        cycles: until the last result left.
        outputs: (scopes x filters, vectors): the dot products, those of representatives where reused.
        under_way: the most filters, of any scope, that were between their first and last result at a time.
    """

    cycles: int
    outputs: list[list[int]]
    under_way: int


def step_products(
    scopes: Sequence[SteppedScope],
    filters: Sequence[Window],
    random_filters: Sequence[Window],
    array: Array,
    *,
    pipelined_signatures: bool,
    design: Design,
    late_hits: LateHits = "ready",
    dense: bool = False,
    in_flight: int | None = None,
) -> SteppedProducts:
    """Signatures and products of all scopes, their pairs dealt to the PE sets.

    Args:
        scopes: at least one vector each; all of one shape.
        filters: (filters, rows, elements), for every scope.
        random_filters: one a signature bit; none where a saved Hitmap is used.
        array: what is stepped; ``pipelined`` is said of products.
        pipelined_signatures: Fig. 8b instead of Fig. 8a for signature bits.
        design: who waits for whom.
        late_hits: what a HIT does whose result is not there in its turn.
        dense: without reuse; sets of the asynchronous design then wait for nobody.
        in_flight: filters whose pairs are dealt together where there is reuse; None: all.

    Raises:
        RuntimeError: a HIT's representative has no entry, or PE sets wait for each other for ever.
    """
    signatures = [[dense_results(scope) for _ in random_filters] for scope in scopes]
    products = [
        [
            dense_results(s) if dense else FilterResults(s.states, s.representatives, late_hits)
            for _ in filters
        ]
        for s in scopes
    ]
    rows = window_rows([*filters, *random_filters, *(vector for one in scopes for vector in one.vectors)])

    def workers() -> list[Worker]:
        return [Worker(rows, array.mac_unit) for _ in range(array.sets)]

    together = len(filters) if dense or in_flight is None else in_flight
    hands = [
        [(filters[at : at + together], own[at : at + together]) for at in range(0, len(filters), together)]
        for own in products
    ]
    cycles = under_way = 0
    if design == "asynchronous":
        shared, done = workers(), list[list[FilterResults]]()
        for index in range(-1, len(scopes)):
            if index + 1 < len(scopes):
                signed = _loads(random_filters, signatures[index + 1], [])
                _hand_out(signed, scopes[index + 1], shared, pipelined_signatures)
            for weights, own in hands[index] if index >= 0 else []:
                before = done[-2] if len(done) >= 2 and not dense else []
                loads = _loads(weights, own, [*signatures[index], *before])
                _hand_out(loads, scopes[index], shared, array.pipelined)
                done.append(own)
        cycles, under_way = run(shared), _under_way([one for results in products for one in results])
    else:
        for scope, signing, dealt in zip(scopes, signatures, hands, strict=True):
            phases = [(random_filters, signing, pipelined_signatures)]
            for weights, own, pipelined in [*phases, *((w, o, array.pipelined) for w, o in dealt)]:
                alone = workers()
                _hand_out(_loads(weights, own, []), scope, alone, pipelined)
                cycles += run(alone)
            under_way = max(under_way, *(_under_way(own) for _, own in dealt))
    outputs = [one.outputs() for results in products for one in results]
    return SteppedProducts(cycles, outputs, under_way)


def _loads(
    filters: Sequence[Window], results: Sequence[FilterResults], after: Sequence[FilterResults]
) -> list[Load]:
    return [Load(weights, one, list(after)) for weights, one in zip(filters, results, strict=True)]


def _hand_out(loads: Sequence[Load], scope: SteppedScope, workers: Sequence[Worker], pipelined: bool) -> None:
    """A task for each filter in a set's block; where sets wait, one without pairs has an empty task."""
    pairs = [(filter_, vector) for filter_ in range(len(loads)) for vector in range(len(scope.vectors))]
    for worker, block in zip(workers, deal(pairs, len(workers)), strict=True):
        unit = worker.units[pipelined]
        for filter_, some in groupby(block.values(), key=lambda pair: pair[0]):
            vectors = {vector: scope.vectors[vector] for _, vector in some}
            worker.tasks.append(Task(loads[filter_], unit, vectors))
        if not block and any(load.after for load in loads):
            worker.tasks.append(Task(loads[0], unit, {}))


def _under_way(results: Sequence[FilterResults]) -> int:
    """The most filters whose results must be kept at a time; it grows only when one has its first."""
    spans = [(one.begun_in or 0, one.complete_in or 0) for one in results]
    return max((sum(b <= begun <= e for b, e in spans) for begun, _ in spans), default=0)
