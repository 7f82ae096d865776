"""Which rank does each layer get, where what layers lose adds up?

A layer's ranks are points of cost and loss. The least cost under a bound on the sum of losses is, up to one
layer's step, that of a price for loss: at every price each layer's choice is its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

STEPS = 100
"""Halvings of the price's range, on a logarithmic scale."""


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
    """An option a layer, of little cost, whose losses add up to no more than ``budget``.

    Args:
        layers: name to options, dense among them.
        budget: largest sum of losses.
    """
    losses = [option.loss for options in layers.values() for option in options if option.loss > 0]
    costs = [option.cost for options in layers.values() for option in options]
    if not losses or budget < 0:
        return _at(layers, float("inf"))
    spread = max(costs) - min(costs) or 1.0
    low, high = 1e-6 * spread / max(losses), 1e6 * spread / min(losses)
    if sum(option.loss for option in _at(layers, low).values()) <= budget:
        return _at(layers, low)
    for _ in range(STEPS):
        price = sqrt(low * high)
        if sum(option.loss for option in _at(layers, price).values()) <= budget:
            high = price
        else:
            low = price
    return _at(layers, high)


def _at(layers: Mapping[str, Sequence[Option]], price: float) -> dict[str, Option]:
    """The cheapest option of each layer where a unit of loss costs ``price``."""
    if price == float("inf"):
        return {name: min(options, key=lambda o: (o.loss, o.cost)) for name, options in layers.items()}
    return {name: min(options, key=lambda o: o.cost + price * o.loss) for name, options in layers.items()}
