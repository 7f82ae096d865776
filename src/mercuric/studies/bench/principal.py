"""How fast is a convolution in a few principal directions, and on a network's own activations?

The planted duplicates of ``bench_conv`` have all the similarity or none; activations have their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import nn

from mercuric.progress import Progress, silent
from mercuric.reuse import Directions
from mercuric.studies.bench.layer_times import reuse_config, time_layer, with_limits
from mercuric.studies.bench.settings import BenchSettings
from mercuric.subjects.layer_inputs import Subject, layer_inputs

RANKS = (0.125, 0.25, 0.5)
BITS = (12, 24)


@dataclass(frozen=True)
class Shape:
    """A 3x3 convolution with padding 1.

    Attributes:
        channels: of the input, and filters.
        side: of the images, in pixels.
        batch: images.
    """

    channels: int
    side: int
    batch: int

    def __str__(self) -> str:
        return f"C = M = {self.channels}, {self.side} x {self.side}, batch {self.batch}"


SHAPES = (Shape(128, 28, 16), Shape(256, 14, 32))
QUICK_SHAPES = (Shape(32, 8, 2),)
LAYERS = ("features.7", "features.14", "features.21")
"""VGG16's conv2_2, conv3_3 and conv4_3."""


def rank_forms(ranks: Sequence[int | float]) -> dict[str, Directions]:
    """A form for each rank: a number of directions, or a share of the filters."""
    return {f"rank {rank_name(rank)}": Directions(rank=rank) for rank in ranks}


def rank_name(rank: int | float) -> str:
    """``32``, or ``1/4 M`` for a share of the filters M."""
    if isinstance(rank, int):
        return str(rank)
    inverse = 1 / rank
    return f"1/{inverse:.0f} M" if abs(inverse - round(inverse)) < 1e-9 else f"{rank:g} M"


def bench_ranks(
    settings: BenchSettings,
    shapes: Sequence[Shape] = SHAPES,
    ranks: Sequence[int | float] = RANKS,
    progress: Progress = silent,
) -> pd.DataFrame:
    """White noise through convolutions in ``ranks`` directions; a row a shape, form and pass.

    Raises:
        ValueError: a rank is out of range.
    """
    rows: list[dict[str, Any]] = []
    forms = rank_forms(ranks)
    for place, shape in enumerate(shapes):
        progress(place, len(shapes), str(shape))
        torch.manual_seed(settings.seed)
        layer = nn.Conv2d(shape.channels, shape.channels, 3, padding=1)
        images = torch.randn(shape.batch, shape.channels, shape.side, shape.side)
        timed = with_limits(time_layer(layer, images, forms, settings), layer)
        rows += [{"inputs": f"noise: {shape}", "case": "", **row} for row in timed]
    progress(len(shapes), len(shapes))
    return pd.DataFrame(rows)


def bench_activations(
    subject: Subject,
    settings: BenchSettings,
    layers: Sequence[str] = LAYERS,
    ranks: Sequence[int | float] = RANKS,
    bits: Sequence[int] = BITS,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Layers of a network on what they read in it; a row a layer, form and pass.

    Raises:
        ValueError: a layer that is not there, or a rank or number of bits out of range.
    """
    forms = {**{f"reuse, {count} bits": reuse_config(count) for count in bits}, **rank_forms(ranks)}
    rows: list[dict[str, Any]] = []
    for place, (name, (layer, inputs)) in enumerate(layer_inputs(subject, layers).items()):
        progress(place, len(layers), name)
        timed = with_limits(time_layer(layer, inputs, forms, settings), layer)
        rows += [{"inputs": subject.shown, "case": name, **row} for row in timed]
    progress(len(layers), len(layers))
    return pd.DataFrame(rows)
