"""When are vectors equal, and when is it worth computing them once?"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.judge.judge import Judge
from mercuric.reuse.vectors import Scope

MAX_LEVELS = 65536


class Equal(ReuseConfig):
    """Bitwise equal input vectors are computed once, through the whole network, in both passes of training.

    The results are dense ones, up to the order of summation: ``docs/exact.md``.

    Attributes:
        method: ``"equal"``.
        scope: where equal vectors share: in the whole ``"batch"``, or in an ``"image"``.
        levels: None: the input is as it is. 2 to 65,536: it is rounded, once, to so many values spread
            evenly from the lowest to the highest of the first batch; nothing behind it is approximated.
        most: a layer computes densely where more than this share of its vectors differ; None: where it is
            faster so, by times measured on this machine when a layer first meets equal vectors. Times
            differ from run to run, and with them the order of summation; a number asks no time.
    """

    method: Literal["equal"] = "equal"
    scope: Scope = "batch"
    levels: Annotated[int, Field(strict=True, ge=2, le=MAX_LEVELS)] | None = None
    most: Annotated[float, Field(ge=0, le=1)] | None = None

    def judge(self, layers: Sequence[str]) -> Judge | None:  # noqa: ARG002
        """Each layer decides for itself, batch by batch; see ``most``."""
        return None
