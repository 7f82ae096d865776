"""How much of a layer's output is computed, in which directions?"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mercuric.errors import ArgumentError
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.judge.fastest import KeepFaster
from mercuric.reuse.judge.judge import Judge

FAST_ERROR = 0.55
"""Relative output error that no layer of VGG13, VGG16, ResNet18 or ResNet34 reached on photographs in a
quarter of its directions; layers near white noise do (``docs/reuse.md``)."""


class Directions(ReuseConfig):
    """Low rank: a layer computes the ``rank`` principal directions that hold most of its outputs' squares.

    Every vector is computed, and no similarity is looked for. It is for a trained network, with
    :func:`~mercuric.fit_ranks_`, and for a training whose architecture must stay, with :meth:`fast`. Where it
    need not, a narrower network trains as far in the same seconds, or further (``docs/front.md``).

    Attributes:
        method: ``"directions"``.
        rank: directions a layer: a number, a share of the layer's filters below 1, or None: as few as
            ``error`` allows.
        error: relative error of a layer's outputs (the root of the squares that the directions leave out,
            over those of the outputs) above which it gets more directions than ``rank``, as few as keep
            within it; None: it gets ``rank``, whatever is left out.
        multiple: ranks are rounded up to a multiple of this, which suits the processors' registers.
        samples: output vectors that directions are estimated from.
        refresh: optimizer steps from one estimate to the next, each of dense passes; None: the directions
            of the first training pass stay.
        residual_bits: None: what the directions leave out is left out. Else vectors of an image whose
            first so many principal components have equal signs share it; 0 is one group an image.
        members: vectors of a group whose mean stands for it.
        max_error: None, or a guarantee: a vector whose relative output error may exceed it is computed
            exactly. Needs ``residual_bits``.
        keep: ``"always"``: a layer is on; ``"faster"``: where it was measured to be faster than dense on
            this machine, by ``handle.step``.

    Raises:
        ValueError: a number is out of range, or there are fewer samples than directions.
    """

    method: Literal["directions"] = "directions"
    rank: int | float | None = 0.25
    error: Annotated[float, Field(gt=0, lt=1)] | None = None
    multiple: Annotated[int, Field(strict=True, ge=1)] = 16
    samples: Annotated[int, Field(strict=True, ge=2)] = 2048
    refresh: Annotated[int, Field(strict=True, ge=1)] | None = None
    residual_bits: Annotated[int, Field(strict=True, ge=0, le=16)] | None = None
    members: Annotated[int, Field(strict=True, ge=1, le=64)] = 4
    max_error: Annotated[float, Field(gt=0, lt=1)] | None = None
    keep: Literal["always", "faster"] = "always"

    @field_validator("rank", mode="before")
    @classmethod
    def _a_number_or_a_share(cls, value: object) -> object:
        if value is None or (type(value) is int and value >= 1) or (type(value) is float and 0 < value < 1):
            return value
        raise ArgumentError(
            f"rank was {value!r}, but must be a positive number, a share between 0 and 1, or None"
        )

    @model_validator(mode="after")
    def _some_rank(self) -> Self:
        if self.rank is None and self.error is None:
            raise ArgumentError("error was None, but must be a number between 0 and 1 where rank is None")
        return self

    @model_validator(mode="after")
    def _centres_for_the_guarantee(self) -> Self:
        if self.max_error is not None and self.residual_bits is None:
            raise ArgumentError(
                "residual_bits was None, but must be a number of bits where max_error is given: the bound is "
                "on a vector's distance from its group's centre"
            )
        return self

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if isinstance(self.rank, int) and self.samples <= self.rank:
            raise ArgumentError(
                f"samples was {self.samples}, but must be more than rank, which is {self.rank}"
            )
        return self

    @classmethod
    def fast(cls, rank: int | float | None = 0.25, error: float | None = FAST_ERROR) -> Self:
        """What is fastest on this machine: outputs in a quarter of the directions, where that beats dense.

        Layers that would leave out too much get more. A layer computes densely where so many directions
        don't pay, or weren't measured to be clearly faster; ``handle.report()`` says which and why.

        Args:
            rank: as the attribute.
            error: of a layer's outputs, as the attribute.
        """
        return cls(rank=rank, error=error, keep="faster")

    def judge(self, layers: Sequence[str]) -> Judge | None:
        """Milliseconds, with ``keep="faster"``."""
        return KeepFaster(layers) if self.keep == "faster" else None
