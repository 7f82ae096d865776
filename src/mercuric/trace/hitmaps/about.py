"""Where do saved Hitmaps come from?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from pydantic import Field

from mercuric.config import Config, mismatches
from mercuric.errors import MercuricError
from mercuric.files.json_text import json_text
from mercuric.files.reading import parse_json
from mercuric.reuse.alike.config import Alike, ReadAlike
from mercuric.trace.calls import RunFacts
from mercuric.trace.layer_call import DENSE
from mercuric.version import __version__

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "mercuric hitmaps"
VERSION = 1


class LayerAbout(Config):
    """A layer, as :class:`HitmapAbout` keeps it."""

    layer: Annotated[str, Field(strict=True)]
    kind: Annotated[str, Field(strict=True)]
    error: Annotated[float, Field(strict=True)] | None


class HitmapMetadata(Config):
    """What stands in the JSON, beside its format and version."""

    run: dict[str, Any]
    config: ReadAlike
    layers: list[LayerAbout]
    versions: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class HitmapAbout:
    """What is written beside Hitmaps, as JSON.

    Attributes:
        run: model, data, images, weights and the like, as the writer named them.
        config: how similarity was found; its MCACHE is the simulated accelerator's.
        layers: in the network's order: ``layer``, ``kind`` and ``error`` (of its output; None where it
            was not measured).
    """

    run: Mapping[str, Any]
    config: Alike
    layers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def products(self) -> set[str]:
        """Rows that stand for no layer."""
        return {layer["layer"] for layer in self.layers if layer["kind"] == DENSE}

    def facts(self, counts: Mapping[str, Mapping[str, int]] | None = None) -> RunFacts:
        """What the writer knew of the calls; ``counts`` as :class:`RunFacts` has them."""
        known = {layer["layer"]: layer["error"] for layer in self.layers}
        errors = {name: error for name, error in known.items() if error is not None}
        normalisation, coverage = self.run.get("normalisation"), self.run.get("coverage")
        return RunFacts(tuple(known), errors, normalisation, coverage, counts or {})

    def finished(self, layers: "pd.DataFrame", run: Mapping[str, Any]) -> "HitmapAbout":
        """The same with what can't be counted again from Hitmaps.

        Args:
            layers: ``Simulation.layers``; kinds and errors are kept.
            run: more of :attr:`run`, known once it is over, as ``Simulation.run``.
        """
        columns = [
            {"layer": str(layer), "kind": str(kind), "error": float(error) if isfinite(error) else None}
            for layer, kind, error in zip(layers["layer"], layers["kind"], layers["error"], strict=True)
        ]
        return HitmapAbout({**self.run, **run}, self.config, columns)

    def to_json(self) -> str:
        """Everything, and the versions of what wrote it."""
        versions = {
            "mercuric": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "pyarrow": version("pyarrow"),
        }
        layers = [LayerAbout(**layer) for layer in self.layers]
        written = HitmapMetadata(run=dict(self.run), config=self.config, layers=layers, versions=versions)
        return json_text({"format": FORMAT, "version": VERSION, **written.model_dump(mode="json")})

    @classmethod
    def from_json(cls, text: str | bytes, source: object) -> Self:
        """What :meth:`to_json` gave.

        Args:
            text: the JSON.
            source: what errors name.

        Raises:
            MercuricError: it describes something else, or a later version of the format.
        """
        foreign = f"{source} was not written by Mercuric"
        try:
            said = parse_json(text, source)
            if said["format"] != FORMAT:
                raise MercuricError(f"{foreign}: its format is {said['format']!r}")
            if said["version"] != VERSION:
                raise MercuricError(
                    f"{source} is of version {said['version']} of the format, but must be of {VERSION}"
                )
            described = HitmapMetadata(**{key: said[key] for key in said if key not in ("format", "version")})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MercuricError(f"{foreign}, or is damaged: {error}") from None
        return cls(described.run, described.config, [layer.model_dump() for layer in described.layers])

    def require(
        self, source: object, config: Alike | None = None, run: Mapping[str, Any] | None = None
    ) -> None:
        """Refuse Hitmaps that come from elsewhere.

        Args:
            source: what errors name.
            config: where given, the configuration that they must have been found with.
            run: entries that :attr:`run` must have.

        Raises:
            MercuricError: names every difference.
        """
        different = [
            f"{key} was {self.run.get(key)}, but must be {value}"
            for key, value in (run or {}).items()
            if self.run.get(key) != value
        ]
        if config is not None:
            different += mismatches(self.config.model_dump(mode="json"), config.model_dump(mode="json"))
        if different:
            raise MercuricError(f"{source} holds Hitmaps of another run: {'; '.join(different)}")
