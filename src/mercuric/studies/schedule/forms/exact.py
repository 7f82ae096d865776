"""How does a network train that computes equal vectors once?"""

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse import Equal
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit
from mercuric.studies.schedule.forms.mercury import Reusing

LOOKED_AT = 8
"""Images in which equal vectors are looked for, before any training."""


class Exact(Form):
    """Exact reuse: gradients are the dense ones."""

    name = "exact"
    shown = "exact reuse"
    source = "mercuric.Equal(); docs/exact.md"
    compiles = False
    looks = 3

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        learner = Reusing(ground.build(), Equal(most=1.0))
        images = ground.batch(LOOKED_AT)
        torch.autograd.backward(_any_loss(learner.network(images)))
        if not learner.handle.report()["HIT"].sum():
            raise Unfit(f"no vectors of {ground.data.name} are equal, which exact reuse would compute once")
        return (Stage("whole"),)

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return Reusing(ground.build(), Equal())


def _any_loss(output: Tensor) -> Tensor:
    return F.cross_entropy(output, torch.zeros(len(output), dtype=torch.int64))
