"""How does a trained network do with fewer channels?

By Torch-Pruning (Fang and others, DepGraph, CVPR 2023).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from mercuric.extras import needed_for
from mercuric.reuse.directions.factors import filters_and_length, products
from mercuric.studies.front.peers.peer import Ground, LeftOut

Importance = Literal["magnitude", "Taylor"]
_MULTIPLE = 8
"""Channels are left in multiples of this, as Torch-Pruning recommends."""


@dataclass(frozen=True)
class Pruned:
    """Channels of least importance are taken out of every layer; what is left stays as it is.

    Attributes:
        ratio: share of the channels.
        importance: by weights, or by weights times gradients of random combinations of the outputs.
    """

    trains: ClassVar[bool] = True
    narrows: ClassVar[bool] = True

    ratio: float
    importance: Importance = "magnitude"

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:
        """See :meth:`~mercuric.studies.front.peers.peer.Peer.make`."""
        with needed_for("Torch-Pruning", "peers"):
            import torch_pruning
        layers = [layer for _, layer in products(network)]
        small = [layer for layer in layers[:-1] if filters_and_length(layer)[0] <= _MULTIPLE]
        judges = torch_pruning.importance
        if self.importance == "magnitude":
            judge = judges.GroupMagnitudeImportance(p=2)
        else:
            judge = judges.GroupTaylorImportance()
            _feel(network, ground)
        try:
            pruner: Any = torch_pruning.pruner.BasePruner(
                network, ground.timed[:1], judge, pruning_ratio=self.ratio, round_to=_MULTIPLE,
                ignored_layers=[*small, *layers[-1:]],
            )  # fmt: skip
            pruner.step()
        except (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise LeftOut(f"Torch-Pruning can't take {ground.shown}: {why}") from error
        network.zero_grad(set_to_none=True)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _feel(network: nn.Module, ground: Ground) -> None:
    """Leave gradients of random combinations of the outputs in the parameters."""
    generator = torch.Generator().manual_seed(0)
    with torch.enable_grad():
        for batch in ground.fitted:
            output = network(batch)
            signs = torch.randint(0, 2, output.shape, generator=generator).to(output) * 2 - 1
            (output * signs).sum().backward()
