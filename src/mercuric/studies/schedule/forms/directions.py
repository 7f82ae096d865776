"""Which layers compute in directions, alike for principal, random and trained ones?"""

from collections.abc import Callable
from typing import Any

from torch import nn

from mercuric.reuse import Directions, ReuseHandle, reuse_
from mercuric.reuse.directions.layer import DirectionsLayer
from mercuric.reuse.judge.fastest import CLEARLY
from mercuric.reuse.report_sums import layers_in_directions
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit


class InDirections(Form):
    """Layers that were measured to be faster in so many directions, as ``Directions.fast()`` chooses them."""

    compiles = False

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        if not kept(ground):
            raise Unfit(
                f"no layer of {ground.network} is clearly faster in {ground.rank:g} of its directions here"
            )
        return (Stage("whole"),)


def kept(ground: Ground) -> frozenset[str]:
    """Layers that were clearly faster."""
    return frozenset(name for name, times in ground.faster.items() if times > 1 / CLEARLY)


class Directed(Learner):
    """A network of which the kept layers compute in directions.

    Args:
        ground: network and data.

    Attributes:
        handle: of these layers.
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.build())
        self.handle = with_directions(ground, self.network)

    def facts(self) -> dict[str, Any]:
        """How many layers compute in directions."""
        return {"layers": layers_in_directions(self.handle.report())}


def with_directions(ground: Ground, network: nn.Module) -> ReuseHandle:
    """Let the kept layers of the network compute in directions."""
    chosen = kept(ground)
    wanted: Callable[[nn.Module, str], bool] = lambda _, name: name in chosen  # noqa: E731
    return reuse_(network, Directions(rank=ground.rank), wanted)


def states(handle: ReuseHandle) -> dict[str, DirectionsLayer]:
    """The layers' states, by name."""
    return {name: state for name, state in handle.layers.items() if isinstance(state, DirectionsLayer)}
