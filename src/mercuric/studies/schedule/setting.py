"""In which order of memory, which precision, and compiled or not does a form compute?"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from mercuric.studies.bench.settings import Precision, autocast


@dataclass(frozen=True)
class Setting:
    """What changes no definition of what is computed.

    Attributes:
        channels_last: whether weights and images are.
        precision: of the passes; weights and their updates are float32.
        compiled: by ``torch.compile``.
    """

    channels_last: bool = True
    precision: Precision = "float32"
    compiled: bool = False

    def place(self, network: nn.Module) -> None:
        """Lay the network's weights out, in place."""
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def placed(self, images: Tensor) -> Tensor:
        """Images, laid out."""
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def called(self, network: nn.Module) -> Any:
        """The network, or its compiled form."""
        if not self.compiled:
            return network
        # What was compiled before counts against the forms that one function may have.
        torch.compiler.reset()
        return torch.compile(network)

    def autocast(self) -> AbstractContextManager[object]:
        """Within the block passes compute in the precision."""
        return autocast(self.precision)

    def compiled_too(self) -> "Setting":
        """The same, compiled."""
        return replace(self, compiled=True)

    @property
    def shown(self) -> str:
        """In words."""
        order = "channels_last" if self.channels_last else "contiguous"
        return ", ".join([order, self.precision, *(["compiled"] if self.compiled else [])])


def settings(precisions: tuple[Precision, ...]) -> list[Setting]:
    """Every order of memory and precision, not compiled."""
    return [Setting(last, precision) for precision, last in product(precisions, (True, False))]
