"""What must another way to make a trained network faster say, so that it is judged beside the others?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor, nn

from mercuric.errors import MercuricError


class LeftOut(MercuricError):  # noqa: N818 - what became of it
    """A peer that the network, or what is asked for, leaves out; its sentence says why."""


@dataclass(frozen=True)
class Ground:
    """What a peer may look at: images of training alone.

    Attributes:
        shown: the network's name.
        timed: the batch that is timed.
        fitted: batches that it may be fitted on.
        compiled: whether what it makes may be compiled.
    """

    shown: str
    timed: Tensor
    fitted: Sequence[Tensor]
    compiled: bool = False


class Peer(Protocol):
    """Another way, in one setting.

    Attributes:
        trains: whether what it makes has gradients.
        narrows: whether it changes the layers' products, and not their precision alone.
    """

    trains: ClassVar[bool]
    narrows: ClassVar[bool]

    def make(self, network: nn.Module, ground: Ground) -> nn.Module:
        """The faster network.

        Args:
            network: trained, of PyTorch's layers, in evaluation mode; it may be changed.
            ground: what else may be looked at.

        Raises:
            MercuricError: a package is missing, or the network can't be taken.
        """
        ...
