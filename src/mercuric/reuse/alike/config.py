"""When are two input vectors alike, and what do they share?"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from mercuric.errors import ArgumentError, described
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.judge.fastest import KeepFaster
from mercuric.reuse.judge.judge import Judge
from mercuric.reuse.judge.paper import Adaptation, AdaptationConfig
from mercuric.reuse.vectors import Granularity, Scope
from mercuric.similarity import MCache
from mercuric.similarity.rpq import MAX_BITS, MAX_MAGNITUDE


class Alike(ReuseConfig):
    """MERCURY: input vectors with equal signatures share results. The defaults lose least accuracy of what
    was measured here.

    ``docs/accuracy.md`` says what was measured; :meth:`paper` is the published form.

    Attributes:
        method: ``"alike"``.
        bits: signature length, 1 to 128 (paper III-D starts at 20).
        granularity: what one input vector of a convolution spans: ``"channel"`` one window of one
            channel (the paper), ``"patch"`` the window of all channels, an integer g the window of g
            channels.
        magnitude: None: alike vectors have equal signatures (the paper), which are signs and so know
            directions only. 0 to 8: their sizes must be of one class as well, an octave wide at 0 and
            half as wide for each bit more.
        projection: ``"gaussian"``: every element of the projection is drawn (the paper);
            ``"separable"``: a column is the product of a weight a pixel of the window and a weight a
            channel, so that a pixel is projected once for all the windows it is in. For
            ``granularity="patch"`` without ``magnitude``. It is fast with ``entries=None`` and
            ``backward="exact"`` alone; the report's ``in_place`` says which layers are.
        scope: what clears the MCACHE: ``"image"`` (a new image and channel, the paper) or ``"batch"``.
        entries: cache lines; ``None`` for an unlimited cache. A simulation takes its accelerator's.
        ways: lines a set (paper VI: 1024 entries, 16 ways). As ``entries``.
        weight_blocks: blocks that the vectors of fully connected layers are cut into, and with them the
            weight matrix (paper III-C3 read literally): parts of inputs are compared, and their results add
            up. At most so many, of equal length. A simulation takes its accelerator's.
        attention: ``"softmax"``: rows are averages by the softmax of scaled dot products; ``"product"``: by
            the dot products themselves, as the paper's Y = X X^T X has it (III-C4). Another network then.
        backward: ``"exact"``: the gradient of the forward pass that was really computed;
            ``"signature"``: gradient vectors are compared too (paper III-C2).
        keep: ``"always"``: a layer is on until adaptation turns it off; ``"faster"``: where it was
            measured to be faster than dense on this machine, by ``handle.step``.
        adaptation: when bits grow and layers turn off (paper III-D); None: never.
        seed: what the projections are drawn from.
    """

    method: Literal["alike"] = "alike"
    bits: Annotated[int, Field(strict=True, ge=1, le=MAX_BITS)] = 40
    granularity: Granularity = "channel"
    magnitude: Annotated[int, Field(strict=True, ge=0, le=MAX_MAGNITUDE)] | None = 3
    projection: Literal["gaussian", "separable"] = "gaussian"
    scope: Scope = "image"
    entries: Annotated[int, Field(strict=True)] | None = 1024
    ways: Annotated[int, Field(strict=True)] = 16
    weight_blocks: Annotated[int, Field(strict=True, ge=1)] = 1
    attention: Literal["softmax", "product"] = "softmax"
    backward: Literal["exact", "signature"] = "exact"
    keep: Literal["always", "faster"] = "always"
    adaptation: AdaptationConfig | None = Field(default_factory=AdaptationConfig)
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0

    @field_validator("granularity", mode="before")
    @classmethod
    def _known_granularity(cls, value: object) -> object:
        if value in ("channel", "patch") or (type(value) is int and value >= 1):
            return value
        raise ArgumentError(
            f'granularity was {value!r}, but must be "channel", "patch" or a positive number of channels'
        )

    @model_validator(mode="after")
    def _possible_cache(self) -> Self:
        MCache(self.entries, self.ways)
        return self

    @model_validator(mode="after")
    def _one_judge(self) -> Self:
        if self.adaptation is not None and self.keep == "faster":
            raise ArgumentError("adaptation was given, but must be None: keep is 'faster'")
        return self

    @model_validator(mode="after")
    def _separable_patches(self) -> Self:
        if self.projection == "separable" and self.granularity != "patch":
            raise ArgumentError(
                f'granularity was {self.granularity!r}, but must be "patch" where projection is "separable", '
                "which saves work where a window spans every channel"
            )
        if self.projection == "separable" and self.magnitude is not None:
            raise ArgumentError(
                f'magnitude was {self.magnitude}, but must be None where projection is "separable"'
            )
        if self.projection == "separable" and self.weight_blocks > 1:
            raise ArgumentError(
                f'weight_blocks was {self.weight_blocks}, but must be 1 where projection is "separable"'
            )
        return self

    @classmethod
    def paper(cls, **fields: Any) -> Self:
        """MERCURY as published: 20-bit signatures a channel and image, 1024 entries, 16 ways.

        Gradient vectors are compared as well (III-C2), bits grow and layers turn off (III-D).

        Args:
            fields: what is to be otherwise.
        """
        return cls(**{"bits": 20, "magnitude": None, "backward": "signature", **fields})

    def judge(self, layers: Sequence[str]) -> Judge | None:
        """Adaptation as the paper has it, or milliseconds; see ``keep``."""
        if self.keep == "faster":
            return KeepFaster(layers)
        return None if self.adaptation is None else Adaptation(self.adaptation, layers, self.bits)

    @property
    def cache(self) -> MCache:
        """The MCACHE's organisation."""
        return MCache(self.entries, self.ways)


def _as_read(given: object) -> object:
    if isinstance(given, Mapping):
        return require_alike(ReuseConfig(**given))
    return require_alike(given) if isinstance(given, ReuseConfig) else given


ReadAlike = Annotated[Alike, BeforeValidator(_as_read)]
"""A field of MERCURY's configuration, which may have been written when one served every method."""


def require_alike(config: ReuseConfig, argument: str = "config") -> Alike:
    """The configuration, if it is MERCURY's: accelerators compare signatures, and do nothing else.

    Raises:
        ValueError: it is of another method.
    """
    if isinstance(config, Alike):
        return config
    raise ArgumentError(
        f"{argument} was {described(config)}, but must be an Alike: accelerators and their similarity are "
        f"MERCURY's, and know nothing of the method {config.method!r}"
    )
