"""How does Cuttlefish choose ranks, and when to begin with them?"""

from itertools import pairwise
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.reuse.directions.factors import decompose_, products
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit

PAYS = 1.5
"""Times that a layer must be faster at the study's share of its rank (theirs: a quarter) to be factorised."""
CHECKS = 20
"""Looks at the ranks in a whole schedule."""
SETTLED = 0.1 * 300 / CHECKS
"""Change of a stable rank from one look to the next: 0.1 an epoch of the authors' schedules of 300."""
WINDOW = 2
"""Changes whose mean counts."""
LATEST = 0.5
"""Progress at which the network is factorised, settled or not; ours."""


def stable_rank(matrix: Tensor) -> float:
    """Sum of the squares of a matrix's (M, K) singular values over the largest square; 0 of zeros."""
    rows = matrix.detach().flatten(1).double()
    squares = torch.linalg.eigvalsh(rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows)
    largest = float(squares[-1])
    return float(squares.sum()) / largest if largest > 0 else 0.0


def scaled_rank(stable: float, first: float, full: int) -> int:
    """The rank that a layer gets: its stable rank, scaled so that fresh weights had their full rank.

    Args:
        stable: stable rank now.
        first: that of the fresh weights.
        full: their rank, min(M, K).
    """
    return max(1, min(full, ceil(stable * full / first)))


class Cuttlefish(Form):
    """Full rank until the layers' stable ranks have settled, then factors of these, both trained."""

    name = "cuttlefish"
    shown = "Cuttlefish"
    source = "Wang and others, MLSys 2023; without its Frobenius decay"

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        self.learner(ground, 0)
        return (Stage("full rank", None), Stage("factorised", None))

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        network = ground.build()
        paying = [name for name, _ in products(network) if ground.faster.get(name, 0) >= PAYS]
        if not paying:
            raise Unfit(
                f"no layer of {ground.network} is {PAYS:g} times faster at {ground.rank:g} of its rank here, "
                "which Cuttlefish asks for"
            )
        return _Watched(network, paying)


class _Watched(Learner):
    """A network whose ranks are looked at.

    Args:
        network: with fresh weights.
        layers: that may be factorised.
    """

    works = True

    def __init__(self, network: nn.Module, layers: list[str]) -> None:
        super().__init__(network)
        self._layers = {name: network.get_submodule(name) for name in layers}
        self._seen = [self._stable_ranks()]
        self._switched: float | None = None
        self._ranks: dict[str, int] = {}

    def due(self, progress: float) -> bool:
        """See :meth:`Learner.due`."""
        if progress * CHECKS < len(self._seen):
            return False
        self._seen.append(self._stable_ranks())
        settled = len(self._seen) > WINDOW and all(
            _mean_change([ranks[name] for ranks in self._seen[-WINDOW - 1 :]]) <= SETTLED
            for name in self._layers
        )
        if settled or progress >= LATEST:
            self._switched = progress
            return True
        return False

    def enter(self, stage: int, images: Tensor) -> None:  # noqa: ARG002
        """See :meth:`Learner.enter`."""
        if stage:
            first, last = self._seen[0], self._seen[-1]
            wanted = {
                name: scaled_rank(last[name], first[name], min(_rows(layer).shape))
                for name, layer in self._layers.items()
            }
            self._ranks = decompose_(self.network, wanted)

    def facts(self) -> dict[str, Any]:
        """At which progress the network was factorised, and layer to rank."""
        return {"switched": self._switched, "ranks": self._ranks}

    def _stable_ranks(self) -> dict[str, float]:
        return {name: stable_rank(_rows(layer)) for name, layer in self._layers.items()}


def _rows(layer: nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)  # noqa: S101 - of a convolution or a fully connected layer
    return weight.flatten(1)


def _mean_change(ranks: list[float]) -> float:
    changes = [abs(after - before) for before, after in pairwise(ranks)]
    return sum(changes) / len(changes)
