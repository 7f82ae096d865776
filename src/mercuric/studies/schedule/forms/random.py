"""How does a network train in random directions?"""

from math import sqrt
from typing import cast

import torch
from torch import Tensor

from mercuric.reuse import Directions
from mercuric.reuse.directions.basis import PrincipalDirections, least_rank
from mercuric.reuse.directions.weights import projected
from mercuric.studies.schedule.forms.directions import Directed, InDirections, states
from mercuric.studies.schedule.forms.form import Ground, Learner


class Random(InDirections):
    """Orthonormal directions that chance draws, which stay; the weights within them are trained."""

    name = "random"
    shown = "random directions"
    source = "mercuric.Directions, a drawn basis in place of the principal one"

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`; weights are scaled so that fresh outputs keep their size."""
        learner = Directed(ground)
        for name, state in states(learner.handle).items():
            weight = cast(Tensor, learner.network.get_submodule(name).weight)
            filters, rank = len(weight), least_rank(Directions(rank=ground.rank), len(weight))
            basis = torch.linalg.qr(torch.randn(filters, rank, dtype=torch.float64))[0].float()
            with torch.no_grad():
                weight.copy_(projected(weight, basis) * sqrt(filters / rank))
            state.principal.take(PrincipalDirections(basis), None, weight)
        return learner
