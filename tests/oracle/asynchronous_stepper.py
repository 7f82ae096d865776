"""How many cycles do all scopes take on the asynchronous design, if every PE is stepped?

Paper III-C1 and Fig. 11. The oracle of ``asynchronous.py``: each PE set goes through its own list of
tasks, and looks at what the others have finished. Nothing is shared with the recurrence.
"""

from collections.abc import Sequence

from mercuric.accelerator.hardware import LateHits
from oracle.mcache_stepper import SteppedHitmap, SteppedMCache
from oracle.pe_set_stepper import FilterResults, Window
from oracle.stepper import Array, Stepped, deal, window_rows
from oracle.worker import (
    Load,
    SteppedScope,
    Task,
    Worker,
    dense_results,
    loads_of,
    run,
)


def step_asynchronous(
    scopes: Sequence[SteppedScope],
    filters: Sequence[Window],
    random_filters: Sequence[Window],
    array: Array,
    *,
    pipelined_signatures: bool,
    versions: int,
    late_hits: LateHits = "ready",
    queue: int | None = None,
) -> Stepped:
    """All scopes on PE sets that go on to the next task by themselves.

    Args:
        scopes: at least one vector each; all of one shape.
        filters: (filters, rows, elements), for every scope.
        random_filters: one a signature bit; none where a saved Hitmap is used.
        array: what is stepped; ``pipelined`` is said of products.
        pipelined_signatures: Fig. 8b instead of Fig. 8a for signature bits.
        versions: filter buffers.
        late_hits: what a HIT does whose result is not there in its turn.
        queue: requests that the insertion queue of a cache set holds; None: a Hitmap is complete with its
            last signature.

    Raises:
        RuntimeError: a HIT's representative has no entry, or PE sets wait for each other for ever.
    """
    windows = [*filters, *random_filters, *(vector for scope in scopes for vector in scope.vectors)]
    blocks = deal(range(len(scopes[0].vectors)), array.sets)
    hitmaps = [SteppedHitmap(scope.cache_sets, scope.answered) for scope in scopes]
    mcache = SteppedMCache(hitmaps, blocks, queue or 0)
    signatures: Sequence[Sequence[FilterResults]]
    if queue is None:
        signatures = [[dense_results(scope) for _ in random_filters] for scope in scopes]
    else:
        signatures = [mcache.signatures(scope, len(random_filters)) for scope in range(len(scopes))]
    products = [[FilterResults(s.states, s.representatives, late_hits) for _ in filters] for s in scopes]
    in_order = [results for scope in products for results in scope]
    workers = [Worker(window_rows(windows), array.mac_unit) for _ in range(array.sets)]
    for scope in range(-1, len(scopes)):
        if scope + 1 < len(scopes):
            loads = loads_of(random_filters, signatures[scope + 1])
            _hand_out(loads, scopes[scope + 1], workers, pipelined_signatures)
        if scope >= 0:
            loads = loads_of(filters, products[scope])
            for task, load in enumerate(loads, start=scope * len(filters)):
                queued = queue is not None and random_filters
                load.after += [hitmaps[scope]] if queued else signatures[scope]
                if task >= versions:
                    load.after.append(in_order[task - versions])
            _hand_out(loads, scopes[scope], workers, array.pipelined)
    return Stepped(
        run(workers, mcache.step), [one.outputs() for one in in_order], sum(r.early_hits for r in in_order)
    )


def _hand_out(loads: Sequence[Load], scope: SteppedScope, workers: Sequence[Worker], pipelined: bool) -> None:
    for worker, block in zip(workers, deal(scope.vectors, len(workers)), strict=True):
        if block:
            worker.tasks.extend(Task(load, worker.units[pipelined], block) for load in loads)
