"""What does a reuse layer of any method remember beside its parameters?"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import hypot, nan
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.counts import Counts
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.observation import Kind, Observer
from mercuric.saved_state import Figure, SavedState, Switch, mapping

_OF_ONE_METHOD = ("bits", "counts", "gradient_counts", "principal")
"""What layers of either method saved in 0.4, whether it was theirs or not."""


class LayerState(SavedState):
    """What a saved training needs of a layer to go on; a method adds its own fields.

    States of trainings by similarity were once saved without ``milliseconds``.
    """

    on: Switch
    error: Figure | None
    milliseconds: Cost | None = None

    @classmethod
    def of_layer(cls, saved: object, name: str) -> Self:
        """The state of layer ``name``, checked.

        Raises:
            ValueError: it is not such a state.
        """
        fields = mapping(saved, f"the state of layer {name!r}")
        own = {key: fields[key] for key in fields if key in cls.model_fields or key not in _OF_ONE_METHOD}
        return cls.of(own, f"the state of layer {name!r}")


@dataclass
class LayerReuse:
    """Switch and statistics of one reuse layer; a method's layer adds what the method needs.

    Attributes:
        name: the layer's name in its model.
        config: how it computes.
        kind: what its input vectors are multiplied with: filters, weights, or keys and values.
        on: while False the layer computes densely.
        bits: current signature length; 0 for a method without signatures.
        counts: HIT, MAU, MNU and zero vectors since the last reset; none where a method compares no vectors.
        error: relative output error of the last pass that measured it, or None.
        error_due: whether the next counted pass measures it (it computes the dense result as well).
        counting: whether passes are counted, observed and measured.
        milliseconds: what a training step of the layer took on this machine, where it was measured.
        dense_because: why the layer computes densely whatever its switch says, or None.
        ran: whether the layer was ever called.
        calls: norms of difference and dense output of the calls that measured the error in this pass of the
            model; None where a call is a pass of its own.
        observers: each is told of each product that compares vectors.
    """

    State: ClassVar[type[LayerState]] = LayerState

    name: str
    config: ReuseConfig
    kind: Kind = "conv"
    on: bool = True
    bits: int = 0
    counts: Counts = field(default_factory=Counts)
    error: float | None = None
    error_due: bool = True
    counting: bool = True
    milliseconds: Cost | None = None
    dense_because: str | None = None
    ran: bool = False
    calls: list[tuple[float, ...]] | None = field(default=None, repr=False)
    observers: list[Observer] = field(default_factory=list)

    def __getstate__(self) -> dict[str, Any]:
        # A copy counts for itself, and nobody listens to it yet.
        return {**self.__dict__, "observers": [], "calls": None}

    def state(self) -> dict[str, Any]:
        """What a saved training needs to go on: the fields of :attr:`State`."""
        return {"on": self.on, "error": self.error, "milliseconds": self.milliseconds}

    def checked(self, saved: Mapping[str, Any], layer: nn.Module | None) -> LayerState:  # noqa: ARG002
        """What :meth:`state` gave, if it is of this layer.

        Raises:
            ValueError: it is broken, or of another layer than ``layer``.
        """
        return self.State.of_layer(saved, self.name)

    def load(self, saved: Any, layer: nn.Module | None) -> None:  # noqa: ARG002 - methods may need it
        """Go on from a checked state; what has tensors goes where the parameters of ``layer`` are."""
        self.on, self.error, self.error_due = saved.on, saved.error, False
        self.milliseconds = saved.milliseconds

    def reset(self) -> None:
        """Set all counts to zero."""
        self.counts = Counts()

    def turn(self, on: bool) -> None:
        """Turn the layer on or off, as a judge says."""
        self.on = on

    @contextmanager
    def tried(self, on: bool) -> Iterator[None]:
        """Within the block the layer is on or off, to be timed."""
        before, self.on = self.on, on
        try:
            yield
        finally:
            self.on = before

    def loses(self, products: int) -> bool:  # noqa: ARG002 - for methods that can tell
        """Whether no input can make the layer pay, where ``products`` go by what was found in it."""
        return False

    @property
    def settled(self) -> bool:
        """Whether the layer is a dense one from now on, whether on or off."""
        return False

    @property
    def comparable(self) -> bool:
        """Whether there are two forms of the layer to time: the method's, and dense."""
        return not self.settled

    def loaded(self) -> None:
        """A state dict was loaded into the layer."""

    def release(self) -> None:
        """Leave the layer alone; reuse is taken off."""

    def figures(self) -> dict[str, object]:
        """The method's own columns of a report, and those that it knows better."""
        return {}

    def functions(self) -> dict[str, dict[str, object]]:
        """Figures of products that the model calls as functions, by name, where the method computes them."""
        return {}

    def row(self) -> dict[str, object]:
        """The layer's row of :meth:`ReuseHandle.report <mercuric.ReuseHandle.report>`."""
        return {
            "layer": self.name,
            "kind": self.kind,
            "vectors": self.counts.vectors,
            "bits": self.bits,
            **self.counts.columns,
            "error": nan if self.error is None else self.error,
            "on": self.on,
        } | self.figures()

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


@contextmanager
def uncounted(layers: Iterable[LayerReuse]) -> Iterator[None]:
    """Within the block forward passes of the layers are neither counted nor observed."""
    before = [(layer, layer.counting) for layer in layers]
    for layer, _ in before:
        layer.counting = False
    try:
        yield
    finally:
        for layer, counting in before:
            layer.counting = counting
