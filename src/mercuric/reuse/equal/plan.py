"""Up to which share of windows that differ does a layer go on by classes?

A layer that loses by classes may be worth it: those behind it can go by classes only if it does. So a layer
goes on where some stretch of layers that begins with it is faster by classes than densely, by the times
measured on this machine and by the shares that each had when it last went by classes.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mercuric.reuse.equal.speed import Speed

UNTRIED = 0.9
"""The share for a layer that has never gone by classes: what lies behind it is not known yet."""


@dataclass(frozen=True)
class Passed:
    """What a layer was like when it last went by classes.

    Attributes:
        speed: of its passes.
        positions: of its output.
        classes: of its windows.
    """

    speed: Speed
    positions: int
    classes: int


class Plan:
    """The layers of a model that have gone by classes, in the order in which they first did."""

    def __init__(self) -> None:
        self._layers: dict[str, dict[Hashable, Passed]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A copy may run on another machine.
        return {"_layers": {}}

    def note(self, name: str, mode: Hashable, passed: Passed) -> None:
        """Keep what a layer was like.

        Args:
            name: the layer's.
            mode: what passes have in common that take as long.
            passed: what it was like.
        """
        self._layers.setdefault(name, {})[mode] = passed

    def highest_share(self, name: str, mode: Hashable, speed: Speed) -> float:
        """Of windows that differ, up to which a layer goes by classes.

        Args:
            name: the layer's.
            mode: of the pass.
            speed: of the layer in it.
        """
        mine = self._layers.get(name, {}).get(mode)
        if mine is None:
            return UNTRIED
        names = list(self._layers)
        behind = (self._layers[name].get(mode) for name in names[names.index(name) + 1 :])
        return highest_share([replace(mine, speed=speed), *(layer for layer in behind if layer)])


def highest_share(layers: Sequence[Passed]) -> float:
    """The share of the first layer's windows up to which some stretch of layers is faster by classes.

    Where the shares rise and fall with the first layer's, the first k layers are faster by classes while

        share / share_1 * sum of (classes x row)
            < sum of (positions x (dense - table)) - positions_k x expansion_k

    Args:
        layers: the first and those that ran after it.
    """
    saved = spent = best = 0.0
    for layer in layers:
        saved += layer.positions * (layer.speed.position - layer.speed.table)
        spent += layer.classes * layer.speed.row
        best = max(best, (saved - layer.positions * layer.speed.expansion) / spent)
    return min(best * layers[0].classes / layers[0].positions, 1.0)
