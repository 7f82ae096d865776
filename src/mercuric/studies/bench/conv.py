"""How fast is a convolution that reuses whole patches, and where does its time go?"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.reuse.alike.kernels.patch_product import (
    filter_rows,
    gathered_windows,
    pixel_rows,
    place,
    repeat,
)
from mercuric.reuse.alike.patches import pixel_projection
from mercuric.reuse.row_products import multiply, whole_images
from mercuric.similarity.first_come import first_come
from mercuric.similarity.separable import grid_signatures
from mercuric.similarity.window_grid import WindowGrid
from mercuric.studies.bench.interleaved import Function, interleaved
from mercuric.studies.bench.layer_times import reuse_config, time_layer, with_limits
from mercuric.studies.bench.planted import SHARES
from mercuric.studies.bench.settings import BenchSettings

Shape = tuple[int, int, int, int]
"""Images, channels, side, filters of a 3x3 convolution."""

SHAPES: tuple[Shape, ...] = ((16, 128, 28, 128), (32, 256, 14, 256), (16, 64, 56, 64), (32, 512, 7, 512))
QUICK_SHAPES: tuple[Shape, ...] = ((4, 8, 10, 8),)
BITS = 20


def bench_conv(
    settings: BenchSettings,
    shapes: Sequence[Shape] = SHAPES,
    shares: Sequence[float] = SHARES,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Planted duplicates, a batch a scope.

    Returns:
        A row a shape, share of duplicates, form and pass; ``*_ms`` of rows with reuse says where
        the forward pass spends its time, each part measured alone.

    Raises:
        ValueError: a share is out of range.
    """
    work = [(shape, share) for shape in shapes for share in shares]
    config, form = reuse_config(BITS).changed(scope="batch"), f"reuse, {BITS} bits"
    rows: list[dict[str, Any]] = []
    for done, ((images, channels, side, filters), share) in enumerate(work):
        named, case = f"{images} x {channels} x {side} x {side} to {filters}", f"{share:.0%}"
        progress(done, len(work), f"{named}, {case} planted")
        torch.manual_seed(settings.seed)
        layer = nn.Conv2d(channels, filters, 3, padding=1)
        inputs = planted_images(images, channels, side, share, settings.seed)
        timed = with_limits(time_layer(layer, inputs, {form: config}, settings), layer)
        parts = time_parts(layer, inputs, config, settings.rounds)
        for row in timed:
            forward = row["form"] == form and not row["pass"].endswith("backward")
            rows.append({"inputs": named, "case": case, **row, **(parts if forward else {})})
    progress(len(work), len(work))
    return pd.DataFrame(rows)


def planted_images(images: int, channels: int, side: int, share: float, seed: int = 0) -> Tensor:
    """(images, channels, side, side) noise, of whose windows about ``share`` repeat an earlier one.

    Whole images repeat the first ones, and the lower part of one more; so windows at the borders do too.

    Raises:
        ValueError: the share is not from 0 to below 1.
    """
    if not 0 <= share < 1:
        raise ArgumentError(f"share of duplicates was {share}, but must be from 0 to below 1")
    drawn = torch.randn(images, channels, side, side, generator=torch.Generator().manual_seed(seed))
    distinct, more = divmod(max(side, round(images * side * (1 - share))), side)
    for image in range(distinct, images):
        kept = more if image == distinct else 0
        drawn[image, :, kept:] = drawn[image % distinct, :, kept:]
    return drawn


def time_parts(layer: nn.Conv2d, inputs: Tensor, config: Alike, rounds: int = 5) -> dict[str, float]:
    """Milliseconds of each part of one forward pass with reuse, measured alone.

    Args:
        layer: a convolution with zero padding.
        inputs: (N, C, H, W).
        config: bits, scope and seed.
        rounds: measurements of each; their median counts.
    """
    with torch.no_grad():
        timings = interleaved(_parts(layer, inputs, config), rounds, warm_ups=2, least=0.005)
    return {f"{name}_ms": 1000 * median(seconds) for name, seconds in timings.seconds.items()}


def _parts(layer: nn.Conv2d, inputs: Tensor, config: Alike) -> Mapping[str, Function]:
    above, left = (side if isinstance(side, int) else 0 for side in layer.padding)
    images = inputs.contiguous(memory_format=torch.channels_last)
    pads = [left, left, above, above]
    grid = WindowGrid.of(len(images), images.shape[2:], layer.kernel_size, layer.stride, layer.dilation, pads)
    pixels, filters = pixel_rows(images), filter_rows(layer.weight)
    columns, taps = pixel_projection(pixels.shape[1], grid.taps, config.bits, config.seed, pixels.dtype)
    projected = multiply(pixels, columns)
    signatures, _ = grid_signatures(projected, taps, grid)
    scopes = len(images) if config.scope == "image" else 1
    found = first_come(signatures, scopes)
    # As many rows as there are representatives: their values take no part in the time.
    windows = torch.ones(whole_images(len(found.kept)), filters.shape[1], dtype=pixels.dtype)
    product = multiply(windows, filters)
    results = pixels.new_empty(grid.windows, len(filters))

    def gather() -> None:
        for _ in gathered_windows(pixels, found.kept, grid):
            pass

    def scatter() -> None:
        place(product, found.kept, results)
        repeat(found.source, results)

    return {
        "project": lambda: multiply(pixels, columns),
        "sign": lambda: grid_signatures(projected, taps, grid),
        "table": lambda: first_come(signatures, scopes),
        "gather": gather,
        "product": lambda: multiply(windows, filters),
        "scatter": scatter,
    }
