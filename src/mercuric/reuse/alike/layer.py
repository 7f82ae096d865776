"""What does a layer that shares results of alike vectors remember, and tell?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.alike.config import Alike
from mercuric.reuse.alike.detection import Detection
from mercuric.reuse.counts import Counts
from mercuric.reuse.judge.paper import Bits
from mercuric.reuse.layer import LayerReuse, LayerState
from mercuric.reuse.observation import Observation, ObservedProduct
from mercuric.reuse.transforms import see
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import random_projection
from mercuric.similarity.separable import separable_projection


class AlikeState(LayerState):
    """What a saved training needs of a layer with similarity to go on, ready for JSON."""

    bits: Bits
    counts: Counts
    gradient_counts: Counts

    @model_validator(mode="after")
    def _counted(self) -> Self:
        for name, counts in (("counts", self.counts), ("gradient_counts", self.gradient_counts)):
            if counts.zero_hits > min(counts.hit, counts.zero) or counts.zero > counts.vectors:
                raise ArgumentError(f"{name} was {counts}, whose zero vectors are more than there are")
        return self


@dataclass
class AlikeLayer(LayerReuse):
    """Projection and similarity of one reuse layer.

    Attributes:
        config: how similarity is found.
        filters: dot products that a vector takes part in; 0 for attention, which has no parameters.
        gradient_counts: of gradient vectors, where ``backward="signature"`` compares them.
        reloads: whether the layer that read the last pass's output saved signatures that serve this layer's
            gradient vectors (paper III-C2); False until one has.
        in_place: whether the last pass with reuse read its patches in place, which is fast; None before one.
    """

    State: ClassVar[type[LayerState]] = AlikeState

    config: Alike
    filters: int = 0
    gradient_counts: Counts = field(default_factory=Counts)
    reloads: bool = False
    in_place: bool | None = None
    _projections: dict[tuple[int, int, int, torch.device], Tensor] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.bits = self.bits or self.config.bits

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_projections": {}}

    def state(self) -> dict[str, Any]:
        """See :meth:`LayerReuse.state`; ready for JSON."""
        counted = {"counts": self.counts, "gradient_counts": self.gradient_counts}
        return {**super().state(), "bits": self.bits, **counted}

    def load(self, saved: Any, layer: nn.Module | None) -> None:
        """See :meth:`LayerReuse.load`."""
        super().load(saved, layer)
        self.bits = saved.bits
        self.counts, self.gradient_counts = replace(saved.counts), replace(saved.gradient_counts)

    def reset(self) -> None:
        """Set all counts to zero."""
        super().reset()
        self.gradient_counts = Counts()

    def loses(self, products: int) -> bool:
        """Whether signatures cost at least what HITs alone would save: no HIT rate pays."""
        return 0 < products * self.filters <= self.bits

    def figures(self) -> dict[str, object]:
        """Counts of gradient vectors, where they are compared, and whether separable patches are fast."""
        in_place: dict[str, object] = (
            {"in_place": self.in_place} if self.config.projection == "separable" else {}
        )
        if self.config.backward != "signature":
            return in_place
        gradients = {"vectors": self.gradient_counts.vectors, **self.gradient_counts.columns}
        return in_place | {f"gradient_{column}": value for column, value in gradients.items()}

    def projection(self, length: int, device: torch.device, taps: int = 1) -> Tensor:
        """The layer's projection for vectors of ``length`` elements, ``taps`` a channel: (length, bits)."""
        key = (length, self.bits, taps, device)
        if key not in self._projections:
            self._projections = {known: r for known, r in self._projections.items() if known[1] == self.bits}
            if self.config.projection == "separable":
                drawn = separable_projection(length // taps, taps, self.bits, self.config.seed).matrix
            else:
                drawn = random_projection(length, self.bits, self.config.seed)
            self._projections[key] = drawn.to(device)
        return self._projections[key]

    def conclude(
        self,
        output: Tensor,
        dense: Callable[[], Tensor],
        shape: VectorShape,
        detection: Callable[[], Detection],
        needs_input_gradient: bool,
    ) -> None:
        """End a pass with reuse: measure its error where that is due, count it, and tell the observers.

        Args:
            output: what the pass computed.
            dense: computes the same densely.
            shape: its vectors.
            detection: the similarity it went by; not called where nobody counts.
            needs_input_gradient: whether dO goes by the same Hitmap.
        """
        if self.wants_error:
            with torch.no_grad():
                see(self.name, self.measure_error, output, dense())
        if self.counting:
            see(self.name, lambda _: self.tell(shape, detection(), needs_input_gradient), output)

    def tell(
        self,
        shape: VectorShape,
        detection: Detection | None,
        needs_input_gradient: bool,
        product: ObservedProduct = "forward",
        bits: int | None = None,
    ) -> None:
        """Count a product and tell the observers.

        Args:
            shape: its vectors.
            detection: the similarity it went by; None where it was computed densely.
            needs_input_gradient: whether dO goes by the same Hitmap.
            product: which one it was.
            bits: length of the signatures that were computed for it; the layer's by default.
        """
        if not self.counting:
            return
        if detection is not None:
            counts = self.counts if product == "forward" else self.gradient_counts
            counts.add(detection.hitmap, detection.zero)
        if not self.observers:
            return
        observation = Observation(
            self.name,
            shape,
            None if detection is None else detection.hitmap,
            0 if detection is None else self.bits if bits is None else bits,
            needs_input_gradient,
            product,
            None if detection is None else detection.zero,
            self.kind,
            None if detection is None else detection.signatures,
            None if detection is None else detection.context,
        )
        for observer in list(self.observers):
            observer(observation)

    @property
    def own_gradient(self) -> bool:
        """Whether dO goes by gradient vectors of its own (paper III-C2) instead of the exact adjoint."""
        return self.config.backward == "signature" and self.kind != "attention"
