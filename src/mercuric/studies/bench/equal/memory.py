"""How much memory does a pass need at its peak, densely and with exact reuse?"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch

from mercuric.progress import Progress, silent
from mercuric.studies.bench.equal.cases import Case, Inputs
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.forms import CHANNELS_LAST, REUSE, Batch, make_form, passes
from mercuric.studies.bench.interleaved import Spread
from mercuric.studies.bench.peak_memory import peak_memory

BATCHES = 3
"""Of those that are timed, from the first to the last."""


def memory(
    case: Case, inputs: Inputs, batches: Sequence[Batch], config: EqualBench, progress: Progress = silent
) -> dict[str, float]:
    """MiB of the last pass that is timed, in a process of its own for each form and batch.

    Returns:
        ``dense_mib`` and ``reuse_mib``, medians over batches, and their ratio's median and quartiles.
    """
    count = min(BATCHES, len(batches))
    chosen = [batches[place * (len(batches) - 1) // max(1, count - 1)] for place in range(count)]
    peaks: dict[str, list[float]] = {CHANNELS_LAST: [], REUSE: []}
    for place, batch in enumerate(chosen):
        progress(place, count, "peak memory", "batches")
        for form, own in peaks.items():
            own.append(peak_memory(_prepared, form, case, inputs, config, *batch.arrays()))
    ratio = Spread.of([own / dense for dense, own in zip(peaks[CHANNELS_LAST], peaks[REUSE], strict=True)])
    return {
        "dense_mib": median(peaks[CHANNELS_LAST]), "reuse_mib": median(peaks[REUSE]),
        "memory_ratio": ratio.median, "memory_q1": ratio.q1, "memory_q3": ratio.q3,
    }  # fmt: skip


def _prepared(
    form: str, case: Case, inputs: Inputs, config: EqualBench, *arrays: Any
) -> Callable[[], object]:
    """What a process of its own measures; the pass before it compiles kernels and times layers."""
    batch = Batch(*map(torch.from_numpy, arrays))
    made = make_form(form, case, inputs, config, torch.get_num_threads())
    run = made.run(passes(case, config)[-1], batch, config)
    run()
    made.network.zero_grad(set_to_none=True)
    return run
