"""What does a reuse layer remember beside its parameters?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Any, Self, cast

import torch
from pydantic import model_validator
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.files.saved_state import Figure, SavedState, Switch, Whole
from mercuric.reuse.alike.detection import Detection
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.directions.part import EDITS, PrincipalPart
from mercuric.reuse.directions.weights import why_dense
from mercuric.reuse.judge.paper import Bits, Cost
from mercuric.reuse.observation import Kind, Observation, ObservedProduct, Observer
from mercuric.reuse.transforms import is_wrapped, meet, see
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import HitState, random_projection
from mercuric.similarity.separable import separable_projection


@dataclass
class Counts:
    """Sums over the passes since the last reset; zero vectors counted apart.

    ``HIT + MAU + MNU`` are all vectors; ``zero`` of them are all zeros, and ``zero_hits`` of the
    HITs are.
    """

    hit: Whole = 0
    mau: Whole = 0
    mnu: Whole = 0
    zero: Whole = 0
    zero_hits: Whole = 0

    def add(self, detection: Detection) -> None:
        """Count one pass."""
        states, hits = detection.hitmap.states, detection.hitmap.hits
        found, inserted = _count(hits), _count(states == HitState.MAU.value)
        self.hit += found
        self.mau += inserted
        self.mnu += states.numel() - found - inserted
        self.zero += _count(detection.zero)
        self.zero_hits += _count(detection.zero & hits)

    @property
    def vectors(self) -> int:
        """All vectors counted."""
        return self.hit + self.mau + self.mnu


def _count(flags: Tensor) -> int:
    return int(torch.count_nonzero(flags))


class LayerState(SavedState):
    """What a saved training needs of a layer to go on.

    States of trainings without directions were once saved without ``milliseconds`` and ``principal``,
    which holds what :meth:`PrincipalPart.state` gives.
    """

    on: Switch
    bits: Bits
    error: Figure | None
    counts: Counts
    gradient_counts: Counts
    milliseconds: Cost | None = None
    principal: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        for name, counts in (("counts", self.counts), ("gradient_counts", self.gradient_counts)):
            if counts.zero_hits > min(counts.hit, counts.zero) or counts.zero > counts.vectors:
                raise ArgumentError(f"{name} was {counts}, whose zero vectors are more than there are")
        return self


@dataclass
class LayerReuse:
    """Configuration, switch, projection and statistics of one reuse layer.

    Attributes:
        name: the layer's name in its model.
        config: how similarity is found.
        kind: what its input vectors are multiplied with: filters, weights, or keys and values.
        filters: dot products that a vector takes part in; 0 for attention, which has no parameters.
        on: while False the layer computes densely.
        bits: current signature length.
        counts: HIT, MAU, MNU and zero vectors since the last reset.
        gradient_counts: the same of gradient vectors, where ``backward="signature"`` compares them.
        error: relative output error of the last pass that measured it, or None.
        error_due: whether the next counted pass measures it (it computes the dense result as well).
        counting: whether passes are counted, observed and measured.
        principal: the directions of its outputs, where these are computed instead of reusing results.
        tied: whether another layer has the same weight.
        milliseconds: what a training step of the layer took on this machine, where it was measured.
        dense_because: why the layer computes densely whatever its switch says, or None.
        ran: whether the layer was ever called.
        calls: norms of difference and dense output of the calls that measured the error in this pass of the
            model; None where a call is a pass of its own.
    """

    name: str
    config: ReuseConfig
    kind: Kind = "conv"
    filters: int = 0
    on: bool = True
    bits: int = 0
    counts: Counts = field(default_factory=Counts)
    gradient_counts: Counts = field(default_factory=Counts)
    error: float | None = None
    error_due: bool = True
    counting: bool = True
    principal: PrincipalPart | None = None
    tied: bool = False
    milliseconds: Cost | None = None
    dense_because: str | None = None
    ran: bool = False
    calls: list[tuple[float, ...]] | None = field(default=None, repr=False)
    observers: list[Observer] = field(default_factory=list)
    _projections: dict[tuple[int, int, int, torch.device], Tensor] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.bits = self.bits or self.config.bits
        if self.config.principal is not None and self.principal is None:
            self.principal = PrincipalPart(self.config.principal)

    def __getstate__(self) -> dict[str, Any]:
        # A copy counts for itself, and nobody listens to it yet.
        return {**self.__dict__, "observers": [], "calls": None, "_projections": {}}

    def state(self) -> LayerState:
        """What a saved training needs to go on; directions hold tensors, all else is ready for JSON."""
        return LayerState(
            on=self.on,
            bits=self.bits,
            error=self.error,
            counts=self.counts,
            gradient_counts=self.gradient_counts,
            milliseconds=self.milliseconds,
            principal=None if self.principal is None else self.principal.state(),
        )

    def check(self, saved: LayerState, layer: nn.Module | None) -> None:
        """Make sure that :meth:`load` can go on from ``saved``.

        Raises:
            ValueError: its directions are broken, or of another layer than ``layer``.
        """
        if self.principal is not None and layer is not None:
            self.principal.check(saved.principal, cast(Tensor, layer.weight))

    def load(self, saved: LayerState, layer: nn.Module | None) -> None:
        """Go on from what :meth:`state` gave; directions go where the parameters of ``layer`` are."""
        self.on, self.bits, self.error, self.error_due = saved.on, saved.bits, saved.error, False
        self.counts, self.gradient_counts = replace(saved.counts), replace(saved.gradient_counts)
        self.milliseconds = saved.milliseconds
        if self.principal is not None and layer is not None and saved.principal is not None:
            self.principal.load(saved.principal, cast(Tensor, layer.weight).device)

    @property
    def settled(self) -> bool:
        """Whether no directions serve the layer, which then is a dense one whether on or off."""
        return self.principal is not None and (self.principal.settled or self.dense_because is not None)

    @property
    def comparable(self) -> bool:
        """Whether there are two forms of the layer to time: with reuse, or in directions, and dense."""
        return self.principal is None or (self.principal.ready and not self.settled)

    def in_directions(self, weight: Tensor, training: bool) -> bool:
        """Whether a pass computes in directions; one of a training may bring them about.

        Args:
            weight: the layer's parameter, as it is.
            training: as modules have it.
        """
        part = self.principal
        if part is None:
            return False
        trains = training and torch.is_grad_enabled()
        if trains:
            # What is not measured yet may stay dense: then nothing must be missing in its weight.
            chosen = self.config.keep == "always" or self.milliseconds is not None
            part.want(self.on and (chosen or part.directions is not None))
        # A tensor that stands for the parameter (torch.func.functional_call) is no edit of it.
        own = type(weight) is nn.Parameter and weight.requires_grad
        thin = self.on and part.thin(weight, trains=trains and own)
        if trains:
            self.dense_because = None if thin else self.why_dense(weight)
        return thin

    def meet_directions(self, *values: Tensor | None) -> None:
        """Refuse what a pass in directions has no rule for; similar residuals need plain numbers as well."""
        principal = self.config.principal
        shares = principal is not None and principal.residual_bits is not None
        if shares or any(map(is_wrapped, values)):
            meet(self.name, *values)

    def why_dense(self, weight: object) -> str | None:
        """Why training leaves the weight out of directions; None where it may change it."""
        if why := why_dense(weight, self.tied):
            return why
        if self.principal is not None and self.principal.edited:
            return f"its weight was changed {EDITS} times by something else than an optimizer"
        return None if cast(Tensor, weight).requires_grad else "its weight is frozen"

    def learns(self, output: Tensor, weight: Tensor, training: bool) -> bool:
        """Whether directions are to be estimated from the outputs of a pass that was dense."""
        if is_wrapped(output):
            return False
        part = self.principal
        # A layer that was slower is measured again, in directions.
        compared = self.on or self.config.keep == "faster"
        if part is None or not (compared and self.counting and training and part.learns):
            return False
        return torch.is_grad_enabled() and self.why_dense(weight) is None

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

    @property
    def wants_error(self) -> bool:
        """Whether this pass measures the output error."""
        return self.error_due and self.counting

    def measure_error(self, reused: Tensor, dense: Tensor) -> None:
        """Keep the relative output error ||reused - dense|| / ||dense||, of all calls of a pass together.

        What is not finite densely is left out.
        """
        finite = dense.isfinite()
        reused, dense = reused.where(finite, 0), dense.where(finite, 0)
        calls = [] if self.calls is None else self.calls
        norms = (torch.linalg.vector_norm(each.double()) for each in (reused - dense, dense))
        calls.append(tuple(map(float, norms)))
        distance, scale = (hypot(*of_calls) for of_calls in zip(*calls, strict=True))
        self.error = distance / scale if scale else distance
        self.error_due = self.calls is not None

    def begin_pass(self) -> None:
        """From here on calls are of one pass of the model."""
        self.calls = []

    def end_pass(self) -> None:
        """From here on calls are passes of their own."""
        self.error_due = self.error_due and not self.calls
        self.calls = None

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
            (self.counts if product == "forward" else self.gradient_counts).add(detection)
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
