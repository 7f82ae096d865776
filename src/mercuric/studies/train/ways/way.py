"""What must this study know of a method to train a network by it?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pandas as pd
from torch import nn

from mercuric.reuse import ReuseHandle
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.outcome import Outcome
from mercuric.training.loop import Companion


@dataclass(frozen=True)
class Attached:
    """A network that computes by a method, ready to be trained.

    Attributes:
        handle: of its layers.
        companions: saved and resumed with the training.
        layers: what each layer did in the whole training, a row a layer.
    """

    handle: ReuseHandle
    companions: Mapping[str, Companion]
    layers: Callable[[], pd.DataFrame]


class Way(Protocol):
    """How a network is trained by a method; it holds nothing.

    Attributes:
        in_seconds: whether what is compared is seconds on this machine: then dense training and the method's
            take turns, both in channels_last, in which dense layers are fastest.
    """

    in_seconds: ClassVar[bool]

    def attach(self, model: nn.Module, config: Any, accelerator: str) -> Attached:
        """Let a network compute by the method.

        Args:
            model: changed in place.
            config: of the method.
            accelerator: the hardware of the run.
        """

    def part(self, outcomes: Sequence[Outcome], config: Any, folder: Path) -> dict[str, Any]:
        """The method's own figures of its trainings, a training a seed, for their part of ``summary.json``.

        Args:
            outcomes: of one run.
            config: of the method.
            folder: of the run, with ``metrics.jsonl``.
        """

    def whole(self, outcomes: Sequence[Outcome], config: RunConfig) -> dict[str, Any]:  # noqa: ARG002
        """Figures that stand beside those of the trainings."""
        return {}
