"""How many cycles did each layer take over a run?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from mercuric.accelerator.count.arrival import counted_work
from mercuric.accelerator.count.cycle_cost import cost_of
from mercuric.accelerator.count.cycles import Cycles, TrainingCycles, waiting_parts
from mercuric.accelerator.count.layer_cycles import observed_cycles
from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES, TIMINGS, Timing
from mercuric.accelerator.energy.operands import Operands
from mercuric.accelerator.hardware import Accelerator, as_accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.observation import Observation, ObservedProduct
from mercuric.saved_state import SavedState, Switch
from mercuric.trace.work import Work

if TYPE_CHECKING:
    import pandas as pd

Counted = dict[Timing, TrainingCycles]


class CounterState(SavedState):
    """What was counted: ``layers`` holds a layer's cycles by timing."""

    accelerator: dict[str, Any]
    training: Switch
    layers: dict[str, Counted]

    @model_validator(mode="after")
    def _every_timing(self) -> Self:
        for name, layer in self.layers.items():
            if missing := set(TIMINGS) - layer.keys():
                raise ArgumentError(f"the {', '.join(sorted(missing))} timing of layer {name!r} is missing")
        return self


class CycleCounter:
    """Adds up the cycles of every layer, with and without reuse, in both timings.

    It is a cost model as well, for ``reuse_(model, config, cost=counter)``: what it has told the cost of it
    doesn't count anew when it observes it.

    Args:
        accelerator: a preset's name, or a description.
        training: count the backward products as well.

    Raises:
        ValueError: no preset has this name.
    """

    def __init__(self, accelerator: str | Accelerator, training: bool = True) -> None:
        self.accelerator = as_accelerator(accelerator)
        self.training = training
        self._layers: dict[str, Counted] = {}
        self._waiting: list[str] = []
        self._asked: tuple[Observation, Counted] | None = None

    def count(
        self,
        layer: str,
        work: Work,
        needs_input_gradient: bool,
        product: ObservedProduct = "forward",
        reloaded: bool | None = None,
        tensors: Operands | None = None,
    ) -> None:
        """Count one batch through one layer.

        Args:
            layer: the layer's name.
            work: its input vectors and their Hitmap; without one it costs the baseline on both sides.
            needs_input_gradient: False for a layer whose input needs no gradient: it has no dO product.
            product: what the work is of; ``"input_gradient"`` for gradient vectors (paper III-C2).
            reloaded: whether the following layer's signatures serve the gradient vectors; None: not known.
            tensors: what the layer reads and writes; None: nobody knows, and nothing waits for DRAM or link.

        Raises:
            ValueError: the array is too small for the layer's vectors, or reloads signatures, and it isn't
                known whether they are there.
        """
        if tensors is not None:
            self._waiting = waiting_parts(self.accelerator)
        self._add(layer, self._counted(work, product, needs_input_gradient, reloaded, tensors))

    def observe(self, observation: Observation) -> None:
        """Count what a reuse layer emits; raises ValueError as :meth:`count` does, or for a broken Hitmap."""
        self._add(observation.layer, self._observed(observation))
        self._asked = None

    def __call__(self, observation: Observation) -> Cost:
        """C_S and C_B of an observation in the accelerator's timing (paper III-D); adds nothing up.

        Raises:
            ValueError: as :meth:`observe`.
        """
        self._asked = observation, self._observed(observation)
        return cost_of(self._asked[1][self.accelerator.timing].total)

    def products(self, timing: Timing | None = None) -> TrainingCycles:
        """Cycles of all layers by product; ``timing`` defaults to the accelerator's."""
        chosen = self._chosen(timing)
        return sum((layer[chosen] for layer in self._layers.values()), start=TrainingCycles())

    def totals(self, timing: Timing | None = None) -> Cycles:
        """Cycles of all layers and products; ``timing`` defaults to the accelerator's."""
        return self.products(timing).total

    def layers(self) -> "pd.DataFrame":
        """One row a layer, in the order first counted.

        Columns: ``layer``, then in cycles ``cycles_baseline``, ``cycles_mercury`` (signatures
        and stalls included), ``cycles_signature``, ``cycles_stall`` (timing ``"paper"``), and the same
        with ``fair_``. Where calls told their words and the DRAM's or the link's are bounded, also
        ``cycles_dram`` and ``cycles_baseline_dram``, or the same with ``link``: how many of MERCURY's and
        of the baseline's are spent waiting for it.
        """
        import pandas as pd

        columns: dict[str, list[str] | list[int]] = {"layer": list(self._layers)}
        for timing, prefix in COLUMN_PREFIXES.items():
            cycles = [layer[timing].total for layer in self._layers.values()]
            columns[f"{prefix}_baseline"] = [one.baseline for one in cycles]
            columns[f"{prefix}_mercury"] = [one.mercury for one in cycles]
            columns[f"{prefix}_signature"] = [one.signature for one in cycles]
            columns[f"{prefix}_stall"] = [one.stall for one in cycles]
            for part in self._waiting:
                columns[f"{prefix}_{part}"] = [getattr(one, part) for one in cycles]
        return pd.DataFrame(columns)

    def state_dict(self) -> dict[str, Any]:
        """Everything counted so far, ready for JSON."""
        return CounterState(
            accelerator=self.accelerator.model_dump(), training=self.training, layers=self._layers
        ).plain()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; on an error nothing has changed.

        Raises:
            ValueError: it was counted on another accelerator, or with another ``training``, or is broken.
        """
        saved = CounterState.of(state, "the state of the counted cycles")
        for argument, here in (("accelerator", self.accelerator.model_dump()), ("training", self.training)):
            if (before := getattr(saved, argument)) != here:
                raise ArgumentError(f"{argument} of the state was {before}, but must be {here}")
        self._layers = {name: dict(layer) for name, layer in saved.layers.items()}

    def _observed(self, observation: Observation) -> Counted:
        if self._asked is not None and self._asked[0] is observation:
            return self._asked[1]
        work = counted_work(observation, self.accelerator)
        return self._counted(
            work, observation.product, observation.needs_input_gradient, observation.reloaded
        )

    def _counted(
        self,
        work: Work,
        product: ObservedProduct,
        needs_input_gradient: bool,
        reloaded: bool | None,
        tensors: Operands | None = None,
    ) -> Counted:
        return observed_cycles(
            self.accelerator, work, product, needs_input_gradient=needs_input_gradient,
            training=self.training, reloaded=reloaded, tensors=tensors,
        )  # fmt: skip

    def _add(self, layer: str, counted: Counted) -> None:
        before = self._layers.get(layer, {timing: TrainingCycles() for timing in TIMINGS})
        self._layers[layer] = {timing: before[timing] + counted[timing] for timing in TIMINGS}

    def _chosen(self, timing: Timing | None) -> Timing:
        if timing is None:
            return self.accelerator.timing
        if timing not in TIMINGS:
            raise ArgumentError(f"timing was {timing!r}, but must be one of {', '.join(map(repr, TIMINGS))}")
        return timing
