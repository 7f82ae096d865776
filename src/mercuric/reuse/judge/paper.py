"""When do signatures grow, and when does a layer turn off? Paper III-D, Adaptation in MERCURY."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mercuric.config import Config, mismatches
from mercuric.errors import ArgumentError, Diverged
from mercuric.reuse.judge.judge import Change, Cost
from mercuric.saved_state import Finite, SavedState, Text, Whole
from mercuric.similarity.rpq import MAX_BITS, check_bits

Bits = Annotated[int, Field(strict=True, ge=1, le=MAX_BITS)]
Count = Annotated[int, Field(strict=True, ge=1)]


class AdaptationConfig(Config):
    """When bits grow and layers turn off; ``docs/adaptation.md`` says what the paper leaves open.

    Attributes:
        patience: K: the mean loss of K steps is compared with that of the K before; where it did not
            fall, all signatures grow by one bit. None: they never grow.
        tolerance: a fall of at most this share of the first K steps' mean loss is no change.
        plateau: ``"windows"``: as above. ``"iterations"``, the paper word for word: bits grow after K
            consecutive steps none of which changed the loss by more than ``tolerance`` of the first one.
        max_bits: signatures grow no longer than this, 1 to 128; those that are longer stay as they are.
        stoppage: T: a layer turns off after T consecutive batches with C_S > C_B. None: never.
    """

    patience: Count | None = 200
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.02
    max_bits: Bits = 64
    stoppage: Count | None = 50
    plateau: Literal["windows", "iterations"] = "windows"


@dataclass
class _Plateau:
    """Sum and number of losses in the window that fills, means of the first and of the last full one.

    By iterations: no sum, the number of steps in a row without a change, the first and the last loss.
    """

    total: Finite = 0.0
    filled: Whole = 0
    first: Finite | None = None
    previous: Finite | None = None

    def step(self, loss: float, config: AdaptationConfig, patience: int) -> bool:
        """Whether bits grow: K steps are full, and the loss is what it was."""
        if config.plateau == "iterations":
            return self._stands_still(loss, patience, config.tolerance)
        return self._window_filled(loss, patience, config.tolerance)

    def _stands_still(self, loss: float, patience: int, tolerance: float) -> bool:
        """Whether K steps in a row did not change the loss; the next ones count anew."""
        previous, self.previous = self.previous, loss
        self.first = loss if self.first is None else self.first
        changed = previous is None or abs(loss - previous) > tolerance * abs(self.first)
        self.filled = 0 if changed else self.filled + 1
        full = self.filled == patience
        self.filled %= patience
        return full

    def _window_filled(self, loss: float, patience: int, tolerance: float) -> bool:
        """Whether a window filled whose mean did not fall."""
        self.total += loss
        self.filled += 1
        if self.filled < patience:
            return False
        mean, previous = self.total / patience, self.previous
        self.first = mean if self.first is None else self.first
        self.total, self.filled, self.previous = 0.0, 0, mean
        return previous is not None and previous - mean <= tolerance * abs(self.first)


class AdaptationState(SavedState):
    """Everything that the next step depends on, and the history."""

    config: AdaptationConfig
    layers: list[Text]
    bits: Bits
    step: Whole
    losing: dict[str, Whole]
    plateau: _Plateau
    history: list[Change]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if unknown := set(self.losing).difference(self.layers):
            raise ArgumentError(f"losing named {', '.join(sorted(unknown))}, but must name layers alone")
        if self.plateau.filled >= (self.config.patience or 1):
            raise ArgumentError(f"plateau.filled was {self.plateau.filled}, but must be under the patience")
        return self


class Adaptation:
    """Follows the loss and the layers' costs, a step at a time; changes nothing itself.

    Args:
        config: when bits grow and layers turn off.
        layers: names of the layers that reuse.
        bits: signature length at the start.

    Attributes:
        bits: signature length now.
        history: every change so far.

    Raises:
        ValueError: ``bits`` is not 1 to 128, or a layer is named twice.
    """

    by_milliseconds = False
    every = 200

    def __init__(self, config: AdaptationConfig, layers: Sequence[str], bits: int) -> None:
        check_bits(bits)
        if len(set(layers)) < len(layers):
            raise ArgumentError(f"layers was {', '.join(layers)}, but must name each layer once")
        self.config = config
        self.layers = tuple(layers)
        self.bits = bits
        self.history: list[Change] = []
        self._step = 0
        self._losing = dict.fromkeys(self.layers, 0)
        self._plateau = _Plateau()

    @property
    def off(self) -> frozenset[str]:
        """The layers that turned off; they stay off."""
        return frozenset(self.layers) - self._losing.keys()

    def step(self, loss: float, costs: Mapping[str, Cost | None]) -> list[Change]:
        """Follow one training step; returns what must change before the next.

        Args:
            loss: mean loss of the step's batch.
            costs: layer to cost; None, or no entry, for a layer that is off, did not run or was not
                measured: such a batch neither adds to T nor starts it anew.

        Raises:
            Diverged: the loss is not finite; nothing has then changed.
            ValueError: a cost is not finite, or a layer is unknown; nothing has then changed.
        """
        self._check(loss, costs)
        self._step += 1
        giving_up = [name for name in self._losing if self._gives_up(name, costs.get(name))]
        changes = [Change(self._step, name, "off", self.bits, 0) for name in giving_up]
        for name in giving_up:
            del self._losing[name]
        if self._grows(loss):
            changes.append(Change(self._step, None, "bits", self.bits, self.bits + 1))
            self.bits += 1
        self.history += changes
        return changes

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the history, ready for JSON."""
        return AdaptationState(
            config=self.config,
            layers=list(self.layers),
            bits=self.bits,
            step=self._step,
            losing=self._losing,
            plateau=self._plateau,
            history=self.history,
        ).plain()

    def checked(self, state: object) -> AdaptationState:
        """What :meth:`state_dict` gave, if it is of these layers and this configuration.

        Raises:
            ValueError: it is not, or is broken.
        """
        saved = AdaptationState.of(state, "the state of the adaptation")
        before = {**saved.config.model_dump(), "layers": sorted(saved.layers)}
        here = {**self.config.model_dump(), "layers": sorted(self.layers)}
        if different := mismatches(before, here):
            raise ArgumentError(f"the state is of another adaptation: {'; '.join(different)}")
        return saved

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; on an error nothing has changed.

        Raises:
            ValueError: it is of another configuration or of other layers, or is broken.
        """
        saved = self.checked(state)
        self.bits, self._step = saved.bits, saved.step
        self._losing = {name: saved.losing[name] for name in self.layers if name in saved.losing}
        self._plateau, self.history = replace(saved.plateau), list(saved.history)

    def _check(self, loss: float, costs: Mapping[str, Cost | None]) -> None:
        if not isfinite(loss):
            raise Diverged(f"loss was {loss} at step {self._step + 1}, but must be finite")
        for name, cost in costs.items():
            if name not in self.layers:
                raise ArgumentError(f"costs named layer {name!r}, but must name {', '.join(self.layers)}")
            if cost is not None and not (isfinite(cost.signatures_and_products) and isfinite(cost.baseline)):
                raise ArgumentError(f"the cost of layer {name!r} was {cost}, but must be finite")

    def _gives_up(self, name: str, cost: Cost | None) -> bool:
        if cost is None:
            return False
        loses = cost.signatures_and_products > cost.baseline
        self._losing[name] = self._losing[name] + 1 if loses else 0
        return self._losing[name] == self.config.stoppage

    def _grows(self, loss: float) -> bool:
        if self.config.patience is None:
            return False
        plateau = self._plateau.step(loss, self.config, self.config.patience)
        return plateau and self.bits < self.config.max_bits and bool(self._losing)
