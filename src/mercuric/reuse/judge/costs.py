"""What did each layer cost in the training step just done?"""

from collections.abc import Mapping

from torch import nn

from mercuric.reuse.judge.judge import Cost, CostModel, Judge
from mercuric.reuse.judge.measured_cost import MeasuredCost, Switch
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.observation import Observation


class LayerCosts:
    """Costs for a judge: of a cost model, or milliseconds as soon as layers are timed.

    Args:
        judge: who asks for them.
        layers: name to the state of a reuse layer.
        model: what an observed product costs; None where nothing but milliseconds tells.
    """

    def __init__(self, judge: Judge, layers: Mapping[str, LayerReuse], model: CostModel | None) -> None:
        self._judge = judge
        self._layers = layers
        self._model = model
        self._observed: dict[str, Cost] = {}
        self._stopwatch: MeasuredCost | None = None

    def time(self, modules: Mapping[str, nn.Module], switch: Switch, every: int | None) -> None:
        """Measure milliseconds of these modules from now on, as :class:`MeasuredCost` does."""
        self.close()
        self._stopwatch = MeasuredCost(modules, switch, every or self._judge.every)

    def observe(self, observation: Observation) -> None:
        """Add what a product cost by the model."""
        if self._model is None or observation.hitmap is None:
            return
        cost, before = self._model(observation), self._observed.get(observation.layer)
        self._observed[observation.layer] = cost if before is None else before + cost

    def collected(self) -> dict[str, Cost | None]:
        """Each layer's cost since this was last asked; None where there is none."""
        if self._stopwatch is None:
            observed, self._observed = self._observed, {}
            return {name: observed.get(name) for name in self._layers}
        due = [
            name
            for name, state in self._layers.items()
            if (self._judge.by_milliseconds or state.on) and not state.settled
        ]
        measured = self._stopwatch.step([name for name in due if self._layers[name].comparable], due)
        self._keep(measured)
        return dict.fromkeys(self._layers) | measured

    def agreed(self, costs: Mapping[str, Cost | None]) -> None:
        """Take note of what all ranks measured: what was on another one alone decides here as well."""
        if self._judge.by_milliseconds:
            self._keep({name: self._layers[name].milliseconds or cost for name, cost in costs.items()})

    @property
    def timed_steps(self) -> int:
        """Training steps on which it depends which layers are timed."""
        return 0 if self._stopwatch is None else self._stopwatch.steps

    def go_on(self, timed_steps: int) -> None:
        """Stand where so many steps have been timed."""
        if self._stopwatch is not None:
            self._stopwatch.go_on(timed_steps)

    def close(self) -> None:
        """Time nothing any more."""
        if self._stopwatch is not None:
            self._stopwatch.close()

    def _keep(self, measured: Mapping[str, Cost | None]) -> None:
        for name, cost in measured.items():
            self._layers[name].milliseconds = cost or self._layers[name].milliseconds


def cost_columns(judge: Judge | None, state: LayerReuse) -> dict[str, float]:
    """A layer's milliseconds for reports, where they decide; NaN before they are measured."""
    if judge is None or not judge.by_milliseconds:
        return {}
    cost = state.milliseconds or Cost(float("nan"), float("nan"))
    return {"dense_ms": cost.baseline, "reuse_ms": cost.signatures_and_products}
