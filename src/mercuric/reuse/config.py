"""What is reused, and when are two vectors alike?"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from mercuric.config import Config
from mercuric.errors import ArgumentError, described
from mercuric.reuse.directions.config import PrincipalConfig
from mercuric.reuse.judge.paper import AdaptationConfig
from mercuric.reuse.vectors import Granularity, Scope
from mercuric.similarity import MCache
from mercuric.similarity.rpq import MAX_BITS, MAX_MAGNITUDE

FAST_ERROR = 0.55
"""Relative output error that no layer of VGG13, VGG16, ResNet18 or ResNet34 reached on photographs in a
quarter of its directions; layers near white noise do (``docs/reuse.md``)."""


class ReuseConfig(Config):
    """How MERCURY is applied to a network; the defaults lose least accuracy of what was measured here.

    ``docs/accuracy.md`` says what was measured; :meth:`paper` is the published form.

    Attributes:
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
            ``granularity="patch"`` without ``magnitude``.
        scope: what clears the MCACHE: ``"image"`` (a new image and channel, the paper) or ``"batch"``.
        entries: cache lines; ``None`` for an unlimited cache. A simulation takes its accelerator's.
        ways: lines a set (paper VI: 1024 entries, 16 ways). As ``entries``.
        backward: ``"exact"``: the gradient of the forward pass that was really computed;
            ``"signature"``: gradient vectors are compared too (paper III-C2).
        principal: None: vectors reuse each other's results. Else layers compute their outputs in a few
            principal directions instead, for every vector: no similarity is looked for.
        keep: ``"always"``: a layer is on until adaptation turns it off; ``"faster"``: where it was
            measured to be faster than dense on this machine, by ``handle.step``.
        adaptation: when bits grow and layers turn off (paper III-D); None: never.
        seed: what the projections are drawn from.
    """

    bits: Annotated[int, Field(strict=True, ge=1, le=MAX_BITS)] = 40
    granularity: Granularity = "channel"
    magnitude: Annotated[int, Field(strict=True, ge=0, le=MAX_MAGNITUDE)] | None = 3
    projection: Literal["gaussian", "separable"] = "gaussian"
    scope: Scope = "image"
    entries: Annotated[int, Field(strict=True)] | None = 1024
    ways: Annotated[int, Field(strict=True)] = 16
    backward: Literal["exact", "signature"] = "exact"
    principal: PrincipalConfig | None = None
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
        if self.adaptation is not None and (self.keep == "faster" or self.principal is not None):
            given = "keep is 'faster'" if self.keep == "faster" else "a principal part has no signatures"
            raise ArgumentError(f"adaptation was given, but must be None: {given}")
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
        return self

    @classmethod
    def paper(cls, **fields: Any) -> Self:
        """MERCURY as published: 20-bit signatures a channel and image, 1024 entries, 16 ways.

        Gradient vectors are compared as well (III-C2), bits grow and layers turn off (III-D).

        Args:
            fields: what is to be otherwise.
        """
        return cls(**{"bits": 20, "magnitude": None, "backward": "signature", **fields})

    @classmethod
    def fast(cls, rank: int | float | None = 0.25, error: float | None = FAST_ERROR) -> Self:
        """What is fastest on this machine: outputs in a quarter of the directions, where that beats dense.

        Layers that would leave out too much get more. A layer computes densely where so many directions
        don't pay, or weren't measured to be clearly faster; ``handle.report()`` says which and why.

        Args:
            rank: see :class:`~mercuric.reuse.directions.config.PrincipalConfig`.
            error: of a layer's outputs, as there.
        """
        return cls(
            granularity="patch",
            magnitude=None,
            entries=None,
            adaptation=None,
            principal=PrincipalConfig(rank=rank, error=error),
            keep="faster",
        )

    @property
    def cache(self) -> MCache:
        """The MCACHE's organisation."""
        return MCache(self.entries, self.ways)


PresetName = Literal["default", "paper", "fast"]
PRESETS: dict[PresetName, Callable[[], ReuseConfig]] = {
    "default": ReuseConfig,
    "paper": ReuseConfig.paper,
    "fast": ReuseConfig.fast,
}


def as_config(given: ReuseConfig | PresetName | None) -> ReuseConfig:
    """A configuration, or the preset of that name; None is the default.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(given, ReuseConfig):
        return given
    if given is None:
        return ReuseConfig()
    known = ", ".join(f'"{name}"' for name in PRESETS)
    if isinstance(given, str):
        if given in PRESETS:
            return PRESETS[given]()
        raise ArgumentError(f"config was {given!r}, but must be a ReuseConfig or one of {known}")
    hint = ""
    if isinstance(given, dict):
        hint = " (ReuseConfig(**settings))"
    elif isinstance(given, type) and issubclass(given, ReuseConfig):
        hint = f", not its class ({given.__name__}()),"
    raise ArgumentError(f"config was {described(given)}, but must be a ReuseConfig{hint} or one of {known}")
