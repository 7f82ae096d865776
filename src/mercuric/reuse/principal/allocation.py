"""Which rank does each layer get, where what layers lose adds up?

A layer's ranks are points of cost and loss. Each step along the lower edge of their convex hull saves cost
at a price, the loss a unit of it. The least cost under a bound on the sum of losses is, up to one step, that
of taking all layers' steps in the order of their prices.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


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
    chosen = {name: _least_loss(options) for name, options in layers.items()}
    steps = [(price, name, option) for name in layers for price, option in _steps(layers[name])]
    for _, name, option in sorted(steps, key=lambda step: step[0]):
        taken = {**chosen, name: option}
        if sum(one.loss for one in taken.values()) > budget:
            break
        chosen = taken
    return chosen


def _least_loss(options: Sequence[Option]) -> Option:
    return min(options, key=lambda option: (option.loss, option.cost))


def _steps(options: Sequence[Option]) -> Iterator[tuple[float, Option]]:
    """The options on the hull's edge from the least loss on, each with the price of the step to it."""
    at = _least_loss(options)
    while cheaper := [option for option in options if option.cost < at.cost]:
        steps = [((option.loss - at.loss) / (at.cost - option.cost), option) for option in cheaper]
        price, at = min(steps, key=lambda step: (step[0], step[1].cost))
        yield price, at
