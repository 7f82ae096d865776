"""How fast is a fully connected layer that reuses rows, or computes in a few principal directions?"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import nn

from mercuric.progress import Progress, silent
from mercuric.reuse import ReuseConfig
from mercuric.studies.bench.layer_times import reuse_config, time_layer, with_limits
from mercuric.studies.bench.planted import SHARES, planted_rows
from mercuric.studies.bench.principal import rank_forms
from mercuric.studies.bench.settings import BenchSettings

Shape = tuple[int, int, int]
"""Rows, features, outputs."""

SHAPES: tuple[Shape, ...] = ((2048, 512, 2048), (4096, 384, 384))
QUICK_SHAPES: tuple[Shape, ...] = ((64, 32, 32),)
RANKS = (0.25,)
BITS = 32


def bench_linear(
    settings: BenchSettings,
    shapes: Sequence[Shape] = SHAPES,
    shares: Sequence[float] = SHARES,
    ranks: Sequence[int | float] = RANKS,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Rows with planted duplicates through layers with reuse, and in ``ranks`` directions on noise.

    Returns:
        A row a shape, share of duplicates, form and pass.

    Raises:
        ValueError: a share or rank is out of range.
    """
    work = [(shape, share) for shape in shapes for share in shares]
    rows: list[dict[str, Any]] = []
    for place, (shape, share) in enumerate(work):
        vectors, features, outputs = shape
        named, case = f"{vectors} rows, {features} to {outputs}", f"{share:.0%}"
        progress(place, len(work), f"{named}, {case} planted")
        forms: dict[str, ReuseConfig] = {f"reuse, {BITS} bits": reuse_config(BITS)}
        torch.manual_seed(settings.seed)
        layer = nn.Linear(features, outputs)
        inputs = planted_rows(vectors, features, share, settings.seed)
        if share == shares[0]:
            forms |= rank_forms(ranks)
        timed = with_limits(time_layer(layer, inputs, forms, settings), layer)
        rows += [{"inputs": named, "case": case, **row} for row in timed]
    progress(len(work), len(work))
    return pd.DataFrame(rows)
