"""How does InfoBatch leave out examples that are learned already, without a bias?"""

from typing import Any

import torch
from torch import Tensor, nn

from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit

PRUNED = 0.5
"""Share of the examples with a loss under the mean that an epoch leaves out: the authors' r."""
ANNEALING = 0.875
"""Progress from which on epochs are whole: the authors' delta."""


def expected_saving(below: float) -> float:
    """The share of a schedule's examples that is left out.

    Args:
        below: share of the examples whose loss is under the mean.
    """
    return ANNEALING * PRUNED * below


class InfoBatch(Form):
    """An epoch leaves out half of the examples whose last loss was under the mean; the rest count twice."""

    name = "infobatch"
    shown = "InfoBatch"
    source = "Qin and others, ICLR 2024"

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        if len(ground.data.train) < 2:
            raise Unfit("there is one training example, of which InfoBatch can leave out none")
        return (Stage("whole"),)

    def learner(self, ground: Ground, examples: int) -> Learner:
        """See :meth:`Form.learner`."""
        return Pruning(ground.build(), examples)


class Pruning(Learner):
    """A network that learns from what it has not learned yet.

    Args:
        network: that learns.
        examples: that there are.

    Attributes:
        scores: (N,): each example's last loss; alike before it has one, so that the first epoch is whole.
        weights: (N,): what each one's loss counts.
    """

    def __init__(self, network: nn.Module, examples: int) -> None:
        super().__init__(network)
        self.scores = torch.ones(examples)
        self.weights = torch.ones(examples)
        self._visited = self._met = 0

    def epoch(self, order: Tensor, progress: float) -> Tensor:
        """See :meth:`Learner.epoch`; who stays of the learned ones is as random as the order."""
        self.weights.fill_(1)
        self._met += len(order)
        if progress < ANNEALING:
            learned = self.scores[order] < self.scores.mean()
            places = learned.nonzero().flatten()
            kept = places[: round((1 - PRUNED) * len(places))]
            if len(places) > len(kept) > 0:
                self.weights[order[kept]] = len(places) / len(kept)
                left = torch.ones(len(order), dtype=torch.bool)
                left[places[len(kept) :]] = False
                order = order[left]
        self._visited += len(order)
        return order

    def loss(self, examples: Tensor, losses: Tensor) -> Tensor:
        """See :meth:`Learner.loss`."""
        self.scores[examples] = losses.detach().float().cpu()
        return (losses * self.weights[examples]).mean()

    def facts(self) -> dict[str, Any]:
        """Share of the examples that epochs left out."""
        return {"pruned": 1 - self._visited / self._met if self._met else 0.0}
