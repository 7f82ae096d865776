"""How does a network train on small images first, and on whole ones at last?"""

from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit
from mercuric.zoo.registry import NETWORKS

SMALLEST = 0.5
"""Side of the first images, as a share of the whole ones'."""
SMALL, WHOLE = 0.5, 0.2
"""Shares of the steps on the smallest and on whole images; sides grow linearly between."""
MULTIPLE = 4
"""Sides are multiples of so many pixels."""
MOST_BETWEEN = 3
"""Sides between the smallest and the whole."""


class Resizing(Form):
    """Images grow with the schedule."""

    name = "resizing"
    shown = "progressive resizing"
    source = (
        "fast.ai (Howard, 2018); the defaults of MosaicML Composer's ProgressiveResizing, in at most "
        f"{MOST_BETWEEN + 2} sizes"
    )
    compiles = False

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        known = sides(ground)
        between = (1 - SMALL - WHOLE) / max(1, len(known) - 2)
        grow = [SMALL, *[between] * (len(known) - 2)] if len(known) > 2 else [1 - WHOLE]
        shares = [*grow, WHOLE]
        return tuple(Stage(f"{side} px", share) for side, share in zip(known, shares, strict=True))

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        return _Growing(ground.build(), sides(ground))


class _Growing(Learner):
    """A network whose images have the stage's side.

    Args:
        network: that reads them.
        known: the side of each stage.
    """

    def __init__(self, network: nn.Module, known: list[int]) -> None:
        super().__init__(network)
        self._sides, self._side = known, known[-1]

    def enter(self, stage: int, images: Tensor) -> None:  # noqa: ARG002
        """See :meth:`Learner.enter`."""
        self._side = self._sides[stage]

    def seen(self, images: Tensor) -> Tensor:
        """See :meth:`Learner.seen`; pixels are interpolated."""
        return images if images.shape[-1] == self._side else _resized(images, self._side)


def _resized(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def sides(ground: Ground) -> list[int]:
    """The sides of the images in pixels, stage by stage, the whole ones' last.

    Raises:
        Unfit: the network reads none that are smaller.
    """
    whole = ground.data.image_size
    smallest = _smallest(ground)
    first = min(whole, _multiple(max(smallest, int(SMALLEST * whole))))
    if first >= whole:
        raise Unfit(
            f"{ground.network} reads images of at least {smallest} pixels a side, and these have {whole}: "
            "there are no smaller ones to begin with"
        )
    step = _multiple((whole - first) / (MOST_BETWEEN + 1))
    return [*range(first, whole, step), whole]


def _multiple(side: float) -> int:
    return MULTIPLE * ceil(side / MULTIPLE)


def _smallest(ground: Ground) -> int:
    """The smallest side in pixels that the network reads; of one that isn't the zoo's, as it is tried."""
    whole = ground.data.image_size
    if ground.network in NETWORKS:
        return NETWORKS[ground.network].smallest(whole)
    network, images = ground.build().eval(), ground.batch(1)
    for side in range(_multiple(SMALLEST * whole), whole, MULTIPLE):
        try:
            with torch.no_grad():
                network(_resized(images, side))
        except (RuntimeError, ValueError):
            continue
        return side
    return whole
