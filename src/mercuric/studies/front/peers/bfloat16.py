"""How does a network compute in half of the bits?"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from mercuric.studies.front.peers.peer import Ground


class Bfloat16:
    """All weights and all values in bfloat16; a processor with matrix units for it multiplies them faster."""

    trains: ClassVar[bool] = True
    narrows: ClassVar[bool] = False

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:  # noqa: ARG002
        """See :meth:`~mercuric.studies.front.peers.peer.Peer.make`."""
        return _Cast(network)


class _Cast(nn.Module):
    """Images in, outputs of float32 out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.to(torch.bfloat16)

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.network(images.to(torch.bfloat16))
        return output.float()
