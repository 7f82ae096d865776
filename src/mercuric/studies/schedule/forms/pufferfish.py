"""How does Pufferfish train: full rank at first, then two thin layers for each deep one?"""

from typing import Any

from torch import Tensor, nn

from mercuric.reuse.directions.factors import (
    Product,
    decompose_,
    filters_and_length,
    products,
)
from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit

WARM_UP = 0.2
"""Share of the steps at full rank."""
RATIO = 0.25
"""Ranks, as a share of a layer's filters."""
FIRST_BLOCK = 3
"""Convolutions of a residual network that stay: its first one, and those of the first block."""


class Pufferfish(Form):
    """Layers behind the first ones are factorised after a warm-up, and both factors are trained."""

    name = "pufferfish"
    shown = "Pufferfish"
    source = "Wang, Agarwal and Papailiopoulos, MLSys 2021"

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        if not decompose_(network := ground.build(), low_ranks(network)):
            raise Unfit(f"{ground.network} has no layer behind its first block that Pufferfish factorises")
        return (Stage("full rank", WARM_UP), Stage("factorised", 1 - WARM_UP))

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return _Warm(ground.build())


class _Warm(Learner):
    """A network that is factorised as its second stage begins."""

    works = True
    ranks: dict[str, int]

    def enter(self, stage: int, images: Tensor) -> None:  # noqa: ARG002
        """See :meth:`Learner.enter`."""
        if stage:
            self.ranks = decompose_(self.network, low_ranks(self.network))

    def facts(self) -> dict[str, Any]:
        """Layer to rank."""
        return {"ranks": getattr(self, "ranks", {})}


def low_ranks(network: nn.Module) -> dict[str, int]:
    """Layer to rank, of the layers that are factorised.

    Convolutions behind the first ones, but for those of one pixel, and fully connected layers but for the
    last. The authors keep nine convolutions of VGG-19, up to the first of 512 filters, and the first one and
    the first block of ResNet-18.
    """
    layers = list(products(network))
    convolutions = [(name, layer) for name, layer in layers if isinstance(layer, nn.Conv2d)]
    linear = [(name, layer) for name, layer in layers if isinstance(layer, nn.Linear)]
    wide = [layer.out_channels for _, layer in convolutions]
    residual = any(name.endswith("downsample.0") for name, _ in convolutions)
    stay = FIRST_BLOCK if residual or not wide else wide.index(max(wide)) + 1
    deep: list[tuple[str, Product]] = [
        (name, layer) for name, layer in convolutions[stay:] if max(layer.kernel_size) > 1
    ]
    return {name: max(1, int(RATIO * filters_and_length(layer)[0])) for name, layer in [*deep, *linear[:-1]]}
