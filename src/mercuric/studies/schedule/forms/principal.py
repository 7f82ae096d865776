"""How does a network train in the principal directions of its layers' outputs?"""

from mercuric.studies.schedule.forms.directions import Directed, InDirections
from mercuric.studies.schedule.forms.form import Ground, Learner


class Principal(InDirections):
    """The directions of the first pass, which stay; the weights within them are trained."""

    name = "principal"
    shown = "principal directions"
    source = "mercuric.Directions; outputs' directions as in Zhang and others (TPAMI 2016)"
    looks = 1

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return Directed(ground)
