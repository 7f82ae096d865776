"""How fast is attention that computes alike queries once?"""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.reuse.alike.attention import reuse_attention
from mercuric.reuse.alike.layer import AlikeLayer
from mercuric.studies.bench.interleaved import Function
from mercuric.studies.bench.layer_times import COMPILED, DENSE, LEAST, WARM_UPS, timed_row
from mercuric.studies.bench.planted import SHARES, planted_rows
from mercuric.studies.bench.settings import BenchSettings
from mercuric.subjects.layer_inputs import Subject, attention_inputs

Shape = tuple[int, int, int, int]
"""Sequences, heads, queries (as many keys), features."""
Operands = tuple[Tensor, Tensor, Tensor]
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]

SHAPES: tuple[Shape, ...] = ((2, 8, 1024, 64), (8, 8, 256, 64))
QUICK_SHAPES: tuple[Shape, ...] = ((1, 2, 32, 8),)
BITS = 32


def bench_attention(
    settings: BenchSettings,
    shapes: Sequence[Shape] = SHAPES,
    shares: Sequence[float] = SHARES,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Queries with planted duplicates in each sequence and head; a row a shape, share, form and pass.

    Raises:
        ValueError: a share is out of range.
    """
    work = [(shape, share) for shape in shapes for share in shares]
    rows: list[dict[str, Any]] = []
    for place, (shape, share) in enumerate(work):
        sequences, heads, length, features = shape
        named, case = f"{sequences} x {heads} heads, {length} queries of {features}", f"{share:.0%}"
        progress(place, len(work), f"{named}, {case} planted")
        timed = time_attention(_planted(shape, share, settings), settings)
        rows += [{"inputs": named, "case": case, **row} for row in timed]
    progress(len(work), len(work))
    return pd.DataFrame(rows)


def bench_attention_activations(
    subject: Subject, settings: BenchSettings, most: int = 3, progress: Progress = silent
) -> pd.DataFrame:
    """A network's own queries, keys and values; a row an attention, form and pass.

    Args:
        subject: a network that calls ``scaled_dot_product_attention``.
        settings: how to measure.
        most: attentions, evenly spread from the first to the last.
        progress: told what comes next.

    Raises:
        ValueError: it calls none, or ``most`` is below 1.
    """
    if most < 1:
        raise ArgumentError(f"most was {most}, but must be at least 1")
    kept = attention_inputs(subject)
    chosen = sorted(
        {round(place * (len(kept) - 1) / max(1, most - 1)) for place in range(min(most, len(kept)))}
    )
    rows: list[dict[str, Any]] = []
    for done, place in enumerate(chosen):
        case = f"attention {place + 1} of {len(kept)}"
        progress(done, len(chosen), f"{case} in {subject.shown}")
        timed = time_attention(kept[place], settings)
        rows += [{"inputs": subject.shown, "case": case, **row} for row in timed]
    progress(len(chosen), len(chosen))
    return pd.DataFrame(rows)


def time_attention(operands: Operands, settings: BenchSettings) -> list[dict[str, Any]]:
    """Time attention densely and with reuse of queries, in turn; a row a form and pass."""
    config = Alike(bits=BITS, magnitude=None, entries=None, adaptation=None)
    state = AlikeLayer("attention", config, "attention")

    def reused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return reuse_attention(query, key, value, state)[0]

    forms: dict[str, Attend] = {DENSE: F.scaled_dot_product_attention}
    if settings.compiled:
        forms[COMPILED] = torch.compile(F.scaled_dot_product_attention)
    forms[f"reuse, {BITS} bits"] = reused
    rows: list[dict[str, Any]] = []
    for kind, make in (("forward", _forward), ("forward + backward", _training)):
        functions = {name: make(form, operands, settings) for name, form in forms.items()}
        timings = settings.time(functions, WARM_UPS, LEAST)
        for name in forms:
            if name != COMPILED:
                rows.append({"form": name, "pass": kind, **_facts(name, state), **timed_row(timings, name)})
    return [{**row, "efficiency": row["speedup"] / row["limit"]} for row in rows]


def _facts(name: str, state: AlikeLayer) -> dict[str, float]:
    if name == DENSE:
        return {"hits": nan, "error": nan, "limit": nan}
    hits = state.counts.hit / state.counts.vectors
    return {
        "hits": hits,
        "error": nan if state.error is None else state.error,
        "limit": 1 / (1 - hits) if hits < 1 else nan,
    }


def _planted(shape: Shape, share: float, settings: BenchSettings) -> Operands:
    sequences, heads, length, features = shape
    torch.manual_seed(settings.seed)
    scopes = range(sequences * heads)
    queries = [planted_rows(length, features, share, settings.seed + scope) for scope in scopes]
    key, value = torch.randn(2, sequences, heads, length, features).unbind(0)
    return torch.stack(queries).view(shape), key, value


def _forward(form: Attend, operands: Operands, settings: BenchSettings) -> Function:
    def run() -> Tensor:
        with torch.no_grad(), settings.autocast():
            return form(*operands)

    return run


def _training(form: Attend, operands: Operands, settings: BenchSettings) -> Function:
    given = [operand.detach().clone().requires_grad_() for operand in operands]
    gradient: list[Tensor] = []

    def run() -> object:
        with settings.autocast():
            output = form(*given)
        if not gradient:
            gradient.append(torch.randn_like(output))
        return torch.autograd.grad(output, given, gradient[0])

    return run
