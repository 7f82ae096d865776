"""How does a network train whose layers' directions are trained as well?"""

from typing import Any

from torch import Tensor

from mercuric.reuse import factorise_
from mercuric.studies.schedule.forms.directions import InDirections, kept
from mercuric.studies.schedule.forms.form import Ground, Learner


class Trained(InDirections):
    """Two layers in place of one, at first the principal directions of the first pass; both are trained."""

    name = "trained"
    shown = "trained directions"
    source = "mercuric.factorise_: the first basis of mercuric.Directions, then both factors as in Pufferfish"
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
        chosen = kept(self._ground)
        self._ranks = factorise_(self.network, images, self._ground.rank, lambda _, name: name in chosen)

    def facts(self) -> dict[str, Any]:
        """Layer to rank."""
        return {"ranks": self._ranks}
