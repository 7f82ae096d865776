"""How does a network train whose layers' directions are trained as well?"""

from typing import Any, cast

from torch import Tensor

from mercuric.reuse import restore_
from mercuric.reuse.directions.weights import projected
from mercuric.studies.bench.factors import Product, factors, put_
from mercuric.studies.schedule.forms.directions import InDirections, states, with_directions
from mercuric.studies.schedule.forms.form import Ground, Learner


class Trained(InDirections):
    """Two layers in place of one, at first the principal directions of the first pass; both are trained."""

    name = "trained"
    shown = "trained directions"
    source = "mercuric.Directions' first basis, then both factors as in Pufferfish"
    compiles = True

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return _Trained(ground)


class _Trained(Learner):
    works = True

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.build())
        self._ground, self._ranks = ground, dict[str, int]()

    def enter(self, stage: int, images: Tensor) -> None:  # noqa: ARG002
        """See :meth:`Learner.enter`; a pass over the batch shows the directions."""
        handle = with_directions(self._ground, self.network)
        self.network(images)
        found = {name: state.principal.candidate for name, state in states(handle).items()}
        restore_(self.network)
        for name, directions in found.items():
            if directions is not None:
                layer = cast(Product, self.network.get_submodule(name))
                weight = projected(layer.weight, directions.basis)
                put_(self.network, name, factors(layer, directions.rank, weight))
                self._ranks[name] = directions.rank

    def facts(self) -> dict[str, Any]:
        """Layer to rank."""
        return {"ranks": self._ranks}
