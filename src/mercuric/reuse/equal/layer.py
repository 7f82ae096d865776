"""What does a layer that computes equal vectors once remember, and tell?"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any, ClassVar

import torch
from torch import nn

from mercuric.reuse.counts import Counts
from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.equal.hitmap import class_hitmap
from mercuric.reuse.equal.look import Look
from mercuric.reuse.equal.plan import UNTRIED, Passed
from mercuric.reuse.equal.speed import Speed
from mercuric.reuse.layer import LayerReuse, LayerState
from mercuric.reuse.observation import Observation
from mercuric.reuse.vectors import VectorShape
from mercuric.saved_state import Figure

_NO_DIFFERENCE = (torch.zeros(1), torch.zeros(1))


class EqualState(LayerState):
    """What a saved training needs of a layer with exact reuse to go on.

    ``lowest`` and ``highest`` of the model's input are what ``levels`` are spread over.
    """

    counts: Counts
    lowest: Figure | None = None
    highest: Figure | None = None


@dataclass(frozen=True)
class Decision:
    """Up to which share of windows that differ a layer goes by classes in a pass, and what that rests on.

    Attributes:
        share: the share.
        mode: what passes have in common that take as long.
        speed: of the layer in it; None where the share was given.
    """

    share: float
    mode: Hashable = None
    speed: Speed | None = None


@dataclass
class EqualLayer(LayerReuse):
    """Counts and decisions of one reuse layer.

    Attributes:
        config: which vectors are equal.
        look: at the model's input.
        computes: what the last pass that was counted did: ``"classes"``, or ``"dense: ..."`` and why.
        why: the layer's own reason to be dense in this pass.
    """

    State: ClassVar[type[LayerState]] = EqualState

    config: Equal
    look: Look | None = None
    computes: str = ""
    why: str = ""

    def state(self) -> dict[str, Any]:
        """See :meth:`LayerReuse.state`; ready for JSON."""
        lowest, highest = self.look.range if self.look and self.look.range else (None, None)
        return {**super().state(), "counts": self.counts, "lowest": lowest, "highest": highest}

    def load(self, saved: Any, layer: nn.Module | None) -> None:
        """See :meth:`LayerReuse.load`."""
        super().load(saved, layer)
        self.counts = replace(saved.counts)
        if self.look is not None and saved.lowest is not None and saved.highest is not None:
            self.look.range = (saved.lowest, saved.highest)

    def decide(self, mode: Hashable, speed: Speed) -> Decision:
        """Up to which share of windows that differ the layer goes by classes.

        Args:
            mode: what passes have in common that take as long.
            speed: of the layer in it.
        """
        share = UNTRIED if self.look is None else self.look.plan.highest_share(self.name, mode, speed)
        return Decision(share, mode, speed)

    def shared(
        self, classes: int, positions: int, decision: Decision | None = None, channels: int = 1
    ) -> None:
        """Note a pass on classes: the first vector of each is computed, and the others are HITs.

        Args:
            classes: of its vectors.
            positions: how many vectors there were.
            decision: that it is one, where one was taken.
            channels: of the output, where a decision was taken.
        """
        if self.look is not None:
            speed = None if decision is None else decision.speed
            passed = None if speed is None else Passed(speed, positions, classes)
            self.look.record.goes_by_classes(passed, channels)
            if passed is not None and decision is not None:
                self.look.plan.note(self.name, decision.mode, passed)
        if self.counting:
            self.computes = "classes"
            self.counts.mau += classes
            self.counts.hit += positions - classes

    def tell(self, classes: Classes, shape: Callable[[], VectorShape], needs_input_gradient: bool) -> None:
        """Tell the observers which vectors were computed.

        Args:
            classes: of all positions.
            shape: of the vectors; not called where nobody listens.
            needs_input_gradient: whether dO goes by the same classes.
        """
        if not (self.counting and self.observers):
            return
        vectors = shape()
        hitmap = class_hitmap(classes, vectors)
        seen = Observation(self.name, vectors, hitmap, 0, needs_input_gradient, kind=self.kind)
        for observer in list(self.observers):
            observer(seen)

    def dense(self, positions: int) -> None:
        """Note a dense pass, for the layer's own reason or for one that lies before it."""
        if self.wants_error and self.on:
            self.measure_error(*_NO_DIFFERENCE)
        if self.counting:
            self.computes = f"dense: {self.why or self._before}"
            self.counts.mnu += positions

    @property
    def _before(self) -> str:
        if self.look is None:
            return "it is no layer of a model"
        if self.look.found:
            return self.look.found
        last = self.look.record.last
        return f"{last} before it needed plain tensors" if last else "it reads no feature map of the input's"

    def figures(self) -> dict[str, object]:
        """Which share of the vectors was computed, and how the last pass went."""
        vectors = self.counts.vectors
        return {
            "computed": (self.counts.mau + self.counts.mnu) / vectors if vectors else nan,
            "computes": self.computes,
        }

    def reset(self) -> None:
        """Set all counts to zero, also those of what the model calls as functions."""
        super().reset()
        for product in self._functions.values():
            product.counts = Counts()

    def functions(self) -> dict[str, dict[str, object]]:
        """See :meth:`LayerReuse.functions`."""
        return {name: product.figures() for name, product in self._functions.items()}

    @property
    def _functions(self) -> dict[str, "EqualLayer"]:
        functions = None if self.look is None else self.look.functions
        return functions.products if isinstance(functions, FunctionProducts) else {}


class FunctionProducts:
    """Products that a model calls as functions: each is counted, timed and planned as a layer's.

    Args:
        config: which vectors are equal.
        look: at the model's input.
        layers: the model's; where all are off, so are these.

    Attributes:
        products: by name.
    """

    def __init__(self, config: Equal, look: Look, layers: Sequence[LayerReuse]) -> None:
        self.products: dict[str, EqualLayer] = {}
        self._config, self._look, self._layers = config, look, layers

    def call(self, name: str) -> EqualLayer:
        """The state of a product, switched and counting as the layers are."""
        if name not in self.products:
            self.products[name] = EqualLayer(name, self._config, "conv", error_due=False, look=self._look)
        product = self.products[name]
        product.on = any(layer.on for layer in self._layers)
        product.counting = all(layer.counting for layer in self._layers)
        product.why = "" if product.on else "all layers are switched off"
        return product
