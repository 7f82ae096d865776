"""Which crops of a photograph are for training, and which for testing?

A photograph is cut into a grid of tiles, and each tile is for training or for testing. A crop lies
wholly within one tile, so no pixel is seen by both.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from mercuric.errors import ArgumentError

Part = Literal["train", "test"]

_SEED = 2023
_TILES_PER_TEST_TILE = 5


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: ``top <= row < bottom`` and ``left <= column < right``."""

    top: int
    left: int
    bottom: int
    right: int


def tiles(height: int, width: int, image_size: int) -> dict[Part, tuple[Box, ...]]:
    """The tiles of a photograph, a fifth of them (at least one) for testing.

    A tile is at least twice as wide and as high as a crop where that leaves two tiles or more;
    otherwise the photograph is cut into a left and a right half. Which tiles are for testing is
    drawn with a fixed seed.

    Raises:
        ValueError: the photograph is not two crops wide and one crop high.
    """
    if width < 2 * image_size or height < image_size:
        raise ArgumentError(
            f"the photograph was {width}x{height} pixels, but crops of {image_size} pixels need "
            f"{2 * image_size}x{image_size}"
        )
    rows = max(1, height // (2 * image_size))
    columns = max(2, width // (2 * image_size))
    grid = [
        Box(
            row * height // rows,
            column * width // columns,
            (row + 1) * height // rows,
            (column + 1) * width // columns,
        )
        for row in range(rows)
        for column in range(columns)
    ]
    order = torch.randperm(len(grid), generator=_generator()).tolist()
    tests = max(1, len(grid) // _TILES_PER_TEST_TILE)
    test, train = (tuple(grid[i] for i in sorted(chosen)) for chosen in (order[:tests], order[tests:]))
    return {"train": train, "test": test}


def crops(height: int, width: int, image_size: int, part: Part, count: int) -> tuple[Box, ...]:
    """``count`` crops of one part, drawn evenly from every position with a fixed seed.

    None is drawn twice before each was drawn once.

    Args:
        height: of the photograph, in pixels.
        width: of the photograph, in pixels.
        image_size: side of a crop, in pixels.
        part: from whose tiles to draw.
        count: how many.

    Raises:
        ValueError: the photograph is not two crops wide and one crop high.
    """
    corners = torch.cat(
        [
            torch.cartesian_prod(
                torch.arange(tile.top, tile.bottom - image_size + 1),
                torch.arange(tile.left, tile.right - image_size + 1),
            )
            for tile in tiles(height, width, image_size)[part]
        ]
    )
    order = torch.randperm(len(corners), generator=_generator())
    drawn = corners[order[torch.arange(count) % len(corners)]].tolist()
    return tuple(Box(top, left, top + image_size, left + image_size) for top, left in drawn)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(_SEED)
