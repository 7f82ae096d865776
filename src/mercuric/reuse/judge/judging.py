"""What happens to the layers of a model after a training step?"""

from collections.abc import Mapping
from math import nan
from typing import Any, SupportsFloat

from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.distributed import agree
from mercuric.reuse.judge.judge import Change, Cost, CostModel, Judge
from mercuric.reuse.judge.measured_cost import MeasuredCost, Switch
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.observation import Observation


class Judging:
    """Brings a judge what the layers cost, and the layers what it says; without a judge nothing happens.

    Args:
        judge: who decides, or None.
        layers: name to the state of a reuse layer.
        model: what an observed product costs; None where nothing but milliseconds tells.
    """

    def __init__(
        self, judge: Judge | None, layers: Mapping[str, LayerReuse], model: CostModel | None
    ) -> None:
        self.judge = judge
        self._layers = layers
        self._model = None if judge is None or judge.by_milliseconds else model
        self._observed: dict[str, Cost] = {}
        self._stopwatch: MeasuredCost | None = None
        for state in layers.values() if self._model is not None else ():
            state.observers.append(self._observe)

    @property
    def by_milliseconds(self) -> bool:
        """Whether milliseconds of this machine alone decide which layers are on."""
        return self.judge is not None and self.judge.by_milliseconds

    @property
    def history(self) -> list[Change]:
        """Every change so far."""
        return [] if self.judge is None else list(self.judge.history)

    def time(self, modules: Mapping[str, nn.Module], switch: Switch, every: int | None) -> None:
        """Measure milliseconds of these modules from now on, as :class:`MeasuredCost` does."""
        self.close()
        if self.judge is not None:
            self._stopwatch = MeasuredCost(modules, switch, every or self.judge.every)

    def step(self, loss: float) -> list[Change]:
        """Judge the training step just done; all ranks judge alike. Gives what changed."""
        if self.judge is None:
            return []
        mean, costs = agree(loss, self._collected())
        if self.judge.by_milliseconds:
            # What was measured on another rank alone decides here as well.
            self._keep({name: self._layers[name].milliseconds or cost for name, cost in costs.items()})
        changes = self.judge.step(mean, costs)
        for change in changes:
            if change.layer is not None:
                self._layers[change.layer].turn(on=change.what == "on")
                continue
            for state in self._layers.values():
                state.bits = change.after
        return changes

    def columns(self, state: LayerReuse) -> dict[str, float]:
        """A layer's milliseconds for reports, where they decide; NaN before they are measured."""
        if not self.by_milliseconds:
            return {}
        cost = state.milliseconds or Cost(nan, nan)
        return {"dense_ms": cost.baseline, "reuse_ms": cost.signatures_and_products}

    def state_dict(self) -> dict[str, Any] | None:
        """Where the judge stands; None without one."""
        return None if self.judge is None else self.judge.state_dict()

    @property
    def timed_steps(self) -> int:
        """Training steps on which it depends which layers are timed."""
        return 0 if self._stopwatch is None else self._stopwatch.steps

    def load_judge(self, saved: Mapping[str, Any] | None) -> None:
        """Let the judge go on from what :meth:`state_dict` gave.

        Raises:
            ValueError: it is of another judge, or is broken; nothing has then changed.
        """
        if self.judge is not None:
            self.judge.load_state_dict(saved or {})

    def go_on(self, timed_steps: int) -> None:
        """Stand where so many steps have been timed."""
        if self._stopwatch is not None:
            self._stopwatch.go_on(timed_steps)

    def close(self) -> None:
        """Time nothing any more."""
        if self._stopwatch is not None:
            self._stopwatch.close()

    def _observe(self, observation: Observation) -> None:
        if self._model is None or observation.hitmap is None:
            return
        cost, before = self._model(observation), self._observed.get(observation.layer)
        self._observed[observation.layer] = cost if before is None else before + cost

    def _collected(self) -> dict[str, Cost | None]:
        """Each layer's cost since this was last asked; None where there is none."""
        if self._stopwatch is None:
            observed, self._observed = self._observed, {}
            return {name: observed.get(name) for name in self._layers}
        due = [
            name
            for name, state in self._layers.items()
            if (self.by_milliseconds or state.on) and not state.settled
        ]
        measured = self._stopwatch.step([name for name in due if self._layers[name].comparable], due)
        self._keep(measured)
        return dict.fromkeys(self._layers) | measured

    def _keep(self, measured: Mapping[str, Cost | None]) -> None:
        for name, cost in measured.items():
            self._layers[name].milliseconds = cost or self._layers[name].milliseconds


def loss_number(loss: object) -> float:
    """The loss as a number, without a word about its gradient.

    Raises:
        ValueError: it is none.
    """
    given = described(loss)
    if isinstance(loss, Tensor):
        given = f"a tensor of {loss.numel()} elements of {loss.dtype}"
        if loss.numel() == 1 and not loss.is_complex():
            return float(loss.detach())
    elif isinstance(loss, SupportsFloat) and not isinstance(loss, bool) and getattr(loss, "ndim", 0) == 0:
        return float(loss)
    raise ArgumentError(f"loss was {given}, but must be one number, the mean loss of the step's batch")
