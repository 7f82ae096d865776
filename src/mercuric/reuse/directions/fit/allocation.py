"""Which rank does each layer get, where what layers lose adds up?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

PARTS = 2000
"""Of the budget, in whole numbers of which losses are counted."""


@dataclass(frozen=True)
class Option:
    """One rank of one layer.

    Attributes:
        rank: directions; 0 is dense.
        loss: its share in what must stay small, 0 for dense.
        cost: of a pass.
    """

    rank: int
    loss: float
    cost: float


def allocated(layers: Mapping[str, Sequence[Option]], budget: float) -> dict[str, Option]:
    """An option a layer, of least cost together, whose losses add up to no more than ``budget``.

    A knapsack, solved layer by layer: the least cost of the layers so far for each part of the budget.
    Losses are rounded up to parts, so a cheaper choice that spends the budget to the last may be missed.

    Args:
        layers: name to options, one without loss among them.
        budget: largest sum of losses.
    """
    least = np.zeros(PARTS + 1)
    choices = []
    for options in layers.values():
        costs = np.full((len(options), PARTS + 1), inf)
        for row, option in zip(costs, options, strict=True):
            parts = _parts(option, budget)
            if parts <= PARTS:
                row[parts:] = option.cost + least[: PARTS + 1 - parts]
        choices.append(costs.argmin(0))
        least = costs.min(0)
    chosen, left = {}, PARTS
    for name, choice in reversed(list(zip(layers, choices, strict=True))):
        chosen[name] = layers[name][choice[left]]
        left -= _parts(chosen[name], budget)
    return {name: chosen[name] for name in layers}


def _parts(option: Option, budget: float) -> int:
    if option.loss <= 0:
        return 0
    return ceil(PARTS * option.loss / budget) if option.loss <= budget else PARTS + 1
