"""How much faster is exact reuse, and what does it need?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pandas as pd
import torch

from mercuric.data import ImageData
from mercuric.page.formats import number_of
from mercuric.progress import Progress, silent
from mercuric.studies.bench.compiler import compiler_works
from mercuric.studies.bench.equal.cases import Case, Inputs, chosen_cases, drawn_batches, load, missing
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.exactness import exactness
from mercuric.studies.bench.equal.forms import (
    CHANNELS_LAST,
    COMPILED,
    CONTIGUOUS,
    REUSE,
    Batch,
    Form,
    Pass,
    make_form,
    passes,
)
from mercuric.studies.bench.equal.limits import Limits
from mercuric.studies.bench.equal.memory import memory
from mercuric.studies.bench.interleaved import Timings, interleaved

EXACT_BATCHES = 2
"""On which outputs and gradients are compared with float64's, which is slow."""
SETTLING = 8
"""Warm-ups until it is settled whether passes are looked at. A network runs for hours: looks that gained
nothing are rare by then, and whole passes without gradients have been compared with dense ones."""

Rows = list[dict[str, Any]]


@dataclass
class Found:
    """What was measured, a list of rows a table.

    Attributes:
        timed: a row a case, number of threads and pass.
        exact: two rows a case, or none: how far outputs and gradients are from dense ones.
        memory: a row a case, or none.
        layers: a row a case, number of threads and layer.
        batches: a row a case, number of threads, pass and batch.
        skipped: a row a case without data, and how to get them.
    """

    timed: Rows = field(default_factory=list)
    exact: Rows = field(default_factory=list)
    memory: Rows = field(default_factory=list)
    layers: Rows = field(default_factory=list)
    batches: Rows = field(default_factory=list)
    skipped: Rows = field(default_factory=list)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The rows as tables, by name."""
        return {name: pd.DataFrame(rows) for name, rows in vars(self).items()}

    def holds(self, case: Case) -> bool:
        """Whether a case was measured."""
        return (case.network, case.data) in {(row["network"], row["data"]) for row in self.timed}


@dataclass(frozen=True)
class _Measured:
    """A case, and all that is made of it once.

    Attributes:
        case: network and data.
        config: how to measure.
        inputs: what the network reads.
        batches: drawn over the whole training set.
        limits: of these.
        limit_of: that of each batch.
        classes: the class of each batch, or None where it has several.
    """

    case: Case
    config: EqualBench
    inputs: Inputs
    batches: Sequence[Batch]
    limits: Limits
    limit_of: Sequence[float]
    classes: Sequence[str | None]

    @classmethod
    def of(cls, case: Case, loaded: ImageData, config: EqualBench) -> "_Measured":
        inputs = Inputs.of(loaded)
        places = drawn_batches(case, loaded.train.labels, config.batches, config.seed)
        batches = [Batch.of(loaded, part) for part in places]
        limits = Limits(case, inputs, config)
        limit_of = [limits.read(batch) for batch in batches]
        labels = [sorted(set(batch.labels.tolist())) for batch in batches]
        classes = [loaded.classes[own[0]] if len(own) == 1 else None for own in labels]
        return cls(case, config, inputs, batches, limits, limit_of, classes)

    @property
    def named(self) -> dict[str, Any]:
        case, size = self.case, self.inputs.image_size
        return {"network": case.network, "data": case.data, "image_size": size, "batch": case.batch_size}


def bench_equal(
    config: EqualBench,
    progress: Progress = silent,
    found: Found | None = None,
    keep: Callable[[Found], object] = lambda _: None,
) -> dict[str, pd.DataFrame]:
    """Time exact reuse beside every dense form, in turn, on batches from the whole training set.

    Args:
        config: what to time, and how.
        progress: told cases, and batches of each.
        found: cases that an earlier run measured; they are not measured again.
        keep: told after each case what was found so far.

    Returns:
        The tables of :class:`Found`.

    Raises:
        ValueError: a number that is out of range, or data that the network does not read.
        MercuricError: files are missing or damaged, or a process was killed.
    """
    cases, found = chosen_cases(config), found or Found()
    loaded: dict[tuple[str, int | None], ImageData] = {}
    for place, case in enumerate(cases):
        if found.holds(case):
            continue
        progress(place, len(cases), f"{case.network} on {case.data}")
        how = missing(case, config.data_root) if config.data is None else None
        if how is not None:
            found.skipped.append({"network": case.network, "data": case.data, "how": how})
            continue
        key = (case.data, case.image_size)
        if key not in loaded:
            loaded[key] = load(case, config.data_root)
        _measure(_Measured.of(case, loaded[key], config), found, progress)
        keep(found)
    progress(len(cases), len(cases))
    return found.tables()


def _measure(measured: _Measured, found: Found, progress: Progress) -> None:
    config, named = measured.config, measured.named
    for threads in config.counts:
        with _threads(threads):
            for kind in passes(measured.case, config):
                forms = _Forms(kind, measured, threads)
                timings = _timings(kind, forms, measured, threads, progress)
                whole, *each = summed_up(timings, measured.limits.limit, measured.limit_of)
                row = {**named, "batches": len(timings), "threads": threads, "pass": kind}
                row["order"] = CHANNELS_LAST if forms.reused.channels_last else CONTIGUOUS
                found.timed.append({**row, **whole})
                for number, one in enumerate(each):
                    found.batches.append({**row, "number": number, "class": measured.classes[number], **one})
            reused = forms.reused.handle
            assert reused is not None  # noqa: S101 - for mypy
            layers = measured.limits.layers(reused)
            found.layers += [{**named, "threads": threads, **layer} for layer in layers]
    most = max(config.counts)
    with _threads(most):
        _compare(measured, found, {**named, "threads": most}, progress)


def _compare(measured: _Measured, found: Found, row: dict[str, Any], progress: Progress) -> None:
    """What is not timed, but in full beside dense."""
    config, subject = measured.config, (measured.case, measured.inputs)
    if config.exactness:
        exact = exactness(*subject, measured.batches[:EXACT_BATCHES], config, progress)
        found.exact += [{**row, "of": part, **distances} for part, distances in exact.items()]
    if config.memory:
        found.memory.append({**row, **memory(*subject, measured.batches, config, progress)})


class _Forms:
    """Every form of a case's network, for a kind of pass and a number of threads.

    A player plays one game: where batches are of a class each, every class has forms of its own.
    """

    def __init__(self, kind: Pass, measured: _Measured, threads: int) -> None:
        self._kind, self._measured, self._threads = kind, measured, threads
        self._of_class: dict[str | None, dict[str, Form]] = {}

    def on(self, place: int) -> dict[str, Form]:
        """Those that run on a batch."""
        owner = self._measured.classes[place] if self._measured.case.one_class else None
        if owner not in self._of_class:
            self._of_class[owner] = self._made(self._measured.batches[place])
        return self._of_class[owner]

    @property
    def reused(self) -> Form:
        """The last of exact reuse."""
        return list(self._of_class.values())[-1][REUSE]

    def _made(self, batch: Batch) -> dict[str, Form]:
        measured = self._measured
        subject = measured.case, measured.inputs, measured.config, self._threads
        forms = {name: make_form(name, *subject) for name in (CONTIGUOUS, CHANNELS_LAST)}
        order = CHANNELS_LAST if forms[CHANNELS_LAST].player else self._faster(forms, batch)
        compiled = [COMPILED] if measured.config.compiled and compiler_works() else []
        return forms | {name: make_form(name, *subject, order) for name in (*compiled, REUSE)}

    def _faster(self, forms: Mapping[str, Form], batch: Batch) -> str:
        """The order of memory in which dense passes are faster."""
        config = self._measured.config
        functions = {name: form.run(self._kind, batch, config) for name, form in forms.items()}
        return interleaved(functions, rounds=1, clock=config.now).fastest(*functions)


def _timings(
    kind: Pass, forms: _Forms, measured: _Measured, threads: int, progress: Progress
) -> list[Timings]:
    """Of each batch; players read channels_last states alone."""
    timings, told = [], f"{kind}, {number_of(threads, 'thread')}"
    for place, batch in enumerate(measured.batches):
        progress(place, len(measured.batches), told, "batches")
        functions = {
            name: form.run(kind, batch, measured.config)
            for name, form in forms.on(place).items()
            if kind != "training step" or form.player is not None
        }
        settles = measured.case.one_class or (kind == "forward" and place == 0)
        warm_ups = SETTLING if settles else 1
        timings.append(measured.config.time(functions, warm_ups))
    progress(len(measured.batches), len(measured.batches), "", "batches")
    return timings


def summed_up(timings: Sequence[Timings], limit: float, limit_of: Sequence[float]) -> Rows:
    """What was timed on all batches together, and on each."""
    names = timings[0].seconds
    together = Timings({name: [value for one in timings for value in one.seconds[name]] for name in names})
    strongest = together.fastest(*(name for name in names if name != REUSE))
    own, dense = (sum(median(one.seconds[name]) for one in timings) for name in (REUSE, strongest))
    whole = {**_row(together, strongest, limit), "whole": dense / own, "efficiency": dense / own / limit}
    return [whole, *(_row(one, strongest, of) for one, of in zip(timings, limit_of, strict=True))]


def _row(timings: Timings, strongest: str, limit: float) -> dict[str, Any]:
    ratio = timings.speedup(REUSE, strongest)
    return {
        "limit": limit, "strongest": strongest,
        "dense_ms": timings.milliseconds(strongest).median, "ms": timings.milliseconds(REUSE).median,
        "speedup": ratio.median, "speedup_q1": ratio.q1, "speedup_q3": ratio.q3,
    }  # fmt: skip


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
