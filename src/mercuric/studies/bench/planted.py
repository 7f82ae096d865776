"""What are inputs of which a known share repeats?"""

import torch
from torch import Tensor

from mercuric.errors import ArgumentError

SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Shares of vectors that repeat an earlier one."""


def planted_rows(rows: int, features: int, share: float, seed: int = 0) -> Tensor:
    """(rows, features), standard normal, of which ``share`` repeat one of the others, in random order.

    Raises:
        ValueError: the share is not from 0 to below 1, or there is no row or no feature.
    """
    for name, value in (("rows", rows), ("features", features)):
        if value < 1:
            raise ArgumentError(f"{name} was {value}, but must be at least 1")
    if not 0 <= share < 1:
        raise ArgumentError(f"share of duplicates was {share}, but must be from 0 to below 1")
    generator = torch.Generator().manual_seed(seed)
    distinct = max(1, round(rows * (1 - share)))
    drawn = torch.randn(distinct, features, generator=generator)
    repeated = torch.randint(distinct, (rows - distinct,), generator=generator)
    order = torch.randperm(rows, generator=generator)
    return drawn[torch.cat([torch.arange(distinct), repeated])[order]]
