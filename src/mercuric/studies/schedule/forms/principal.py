"""How does a network train in the principal directions of its layers' outputs?"""

from typing import Any

from mercuric.reuse.report_sums import layers_in_directions
from mercuric.studies.schedule.forms.directions import InDirections, with_directions
from mercuric.studies.schedule.forms.form import Ground, Learner


class Principal(InDirections):
    """The directions of the first pass, which stay; the weights within them are trained."""

    name = "principal"
    shown = "principal directions"
    source = "mercuric.Directions; outputs' directions as in Zhang and others (TPAMI 2016)"
    looks = 1

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return _Principal(ground)


class _Principal(Learner):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.build())
        self._handle = with_directions(ground, self.network)

    def facts(self) -> dict[str, Any]:
        """How many layers compute in directions."""
        return {"layers": layers_in_directions(self._handle.report())}
