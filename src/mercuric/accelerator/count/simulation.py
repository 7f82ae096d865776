"""How many cycles does MERCURY save on this network and these inputs?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.count.baselines import Baselines
from mercuric.accelerator.count.chip_size import ChipSize
from mercuric.accelerator.count.countable import countable_hitmaps, require_countable, waited_for
from mercuric.accelerator.count.cycle_counter import CycleCounter
from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.count.energy_counter import EnergyCounter
from mercuric.accelerator.count.idle_arrays import IdleArrays
from mercuric.accelerator.count.similarity_tally import SimilarityTally, gradient_figures
from mercuric.accelerator.count.totals import totals
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.energies import Energies, as_energies
from mercuric.accelerator.hardware import Accelerator, Depth, as_accelerator
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.errors import ArgumentError, described
from mercuric.notebook import drawn, shown_as_html
from mercuric.reuse import Alike, ReuseConfig, similarity_rates
from mercuric.reuse.config import PresetName
from mercuric.trace.calls import Calls, Listen, RunFacts
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.hitmaps.saved import saved_calls
from mercuric.trace.input_checks import require_batches, require_network, require_switch
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.normalisation import Normalisation, Statistics
from mercuric.trace.supervised import Supervised

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Simulation:
    """Cycles of one or more batches, with and without reuse.

    Attributes:
        accelerator: what was simulated, with its MCACHE.
        config: how similarity was found, in that MCACHE.
        layers: a layer a row: its similarity (as ``ReuseHandle.report``) and its cycles (as
            ``CycleCounter.layers``); layers that can't reuse cost the same on both sides.
        counter: the cycles by product and timing.
        baselines: cycles without reuse by how a layer's depth is folded, whichever each timing compares with;
            none where the dataflow has one baseline alone.
        normalisation: by which statistics layers normalised that keep some: ``"batch"``, each batch's own;
            ``"data"``, taken from all batches first; ``"stored"``, the model's; ``"none"``: no layer does;
            None: no network ran, and nothing says how one did.
        coverage: ``macs`` of the forward pass; ``dense``: which of them are in operations that no layer
            makes, whose rows have the kind ``"dense"``; ``left_out``: which have no row. Each operation has
            ``layer``, ``operation``, ``macs`` and ``share``. None: nothing says it.
        chip: how large it must be for these layers.
        energy: what was spent; None: nobody asked.
        idle: of several arrays, layers that leave some without work.
    """

    accelerator: Accelerator
    config: Alike
    layers: "pd.DataFrame"
    counter: CycleCounter
    baselines: Mapping[Depth, int]
    chip: ChipSize
    normalisation: Normalisation | None = None
    coverage: Mapping[str, Any] | None = None
    energy: EnergyCounter | None = None
    idle: IdleArrays | None = None

    def cycles(self, timing: Timing | None = None) -> Cycles:
        """Cycles of all layers; ``timing`` defaults to the accelerator's."""
        return self.counter.totals(timing)

    def speedup(self, timing: Timing | None = None) -> float:
        """Cycles of the baseline over cycles with MERCURY; ``timing`` defaults to the accelerator's."""
        return self.cycles(timing).speedup

    def plot(self, timing: Timing | None = None) -> "Figure":
        """Cycles of each layer without reuse and with it, as a figure of matplotlib.

        Args:
            timing: ``"paper"`` or ``"fair"``; the accelerator's by default.

        Raises:
            ArgumentError: there is no such timing.
            MissingPackage: matplotlib is not installed.
        """
        chosen = timing or self.accelerator.timing
        if chosen not in TIMINGS:
            raise ArgumentError(f"timing was {described(timing)}, but must be one of {', '.join(TIMINGS)}")
        return drawn("simulated_cycles", self, chosen)

    def _repr_html_(self) -> str:
        accelerator = self.accelerator
        said = " and ".join(f"{self.speedup(timing):.2f}x in {timing} timing" for timing in TIMINGS)
        return shown_as_html(
            f"{accelerator.name}, {accelerator.dataflow}: {said}",
            "simulated_cycles", self, accelerator.timing, table=self.layers.to_html(),
        )  # fmt: skip

    @property
    def run(self) -> dict[str, Any]:
        """How the network ran, for files that its Hitmaps are saved in."""
        return {"normalisation": self.normalisation, "coverage": self.coverage}

    def summary(self) -> dict[str, Any]:
        """The figures for scripts, ready for JSON."""
        return {
            **self.run,
            "reuse": {**similarity_rates(self.layers), **found_with(self.config)},
            **totals(self.layers, self.accelerator),
            "gradients": gradient_figures(self.layers, self.accelerator),
            "baselines": dict(self.baselines),
            **({} if self.idle is None else self.idle.summary()),
            **({} if self.energy is None else self.energy.summary()),
            **self.chip.summary(),
        }


class Simulator:
    """Counts layer calls as they come, from whatever source.

    Args:
        accelerator: what is simulated.
        training: count both backward products as well.
        energies: by which energy is counted as well; None: they aren't.
    """

    def __init__(
        self, accelerator: Accelerator, training: bool = True, energies: Energies | None = None
    ) -> None:
        self.accelerator = accelerator
        self._energy = None if energies is None else EnergyCounter(accelerator, energies, training)
        self._idle = IdleArrays(accelerator) if accelerator.arrays > 1 else None
        self._counter = CycleCounter(accelerator, training)
        self._chip = ChipSize(accelerator)
        self._similarity = SimilarityTally(accelerator)
        self._baselines = Baselines(accelerator, training)
        self._most_filters = 0

    def add(self, call: LayerCall) -> None:
        """Count one call, by the order in which the accelerator's signatures arrive.

        Raises:
            ValueError: the array is too small for the layer's vectors, or needs more than is known of it.
        """
        self.count(arrived(call, self.accelerator))

    def count(self, call: LayerCall) -> None:
        """Count one call as it is; raises as :meth:`add`."""
        require_countable(call, self.accelerator)
        tensors = waited_for(call, self.accelerator)
        self._counter.count(
            call.layer, call.work, call.needs_input_gradient, call.product, call.reloaded, tensors
        )
        self._baselines.add(call, tensors)
        self._similarity.add(call)
        self._chip.add(call)
        for also in (self._idle, self._energy):
            if also is not None:
                also.add(call)
        if call.work.kind == "conv":
            self._most_filters = max(self._most_filters, call.work.shape.filters)

    def simulation(self, config: Alike, facts: RunFacts) -> Simulation:
        """Everything that was counted, and what is known of the calls besides.

        Raises:
            ValueError: the accelerator has more filters in flight than any convolution has.
        """
        asked = self.accelerator.filters_in_flight
        if asked is not None and asked > self._most_filters:
            raise ArgumentError(
                f"filters_in_flight of accelerator {self.accelerator.name!r} was {asked}, but must be at "
                f"most {self._most_filters}, the filters of the largest convolution, or none for all filters"
            )
        layers = self._similarity.layers(facts).merge(self._counter.layers(), how="left")
        for also in (self._idle, self._energy):
            if also is not None:
                layers = layers.merge(also.table(), how="left")
        return Simulation(
            self.accelerator, config, layers, self._counter, self._baselines.cycles, self._chip,
            facts.normalisation, facts.coverage, self._energy, self._idle,
        )  # fmt: skip


def simulate_calls(
    calls: Calls,
    accelerator: Accelerator,
    training: bool = True,
    listeners: Sequence[Listen] = (),
    energies: Energies | None = None,
) -> Simulation:
    """Count the cycles of calls, wherever they come from.

    Args:
        calls: the calls, by the accelerator's MCACHE.
        accelerator: what is simulated.
        training: count both backward products as well.
        listeners: each called with every call, once it is counted.
        energies: by which energy is counted as well; None: they aren't.

    Raises:
        ValueError: as :meth:`Simulator.add`. What the calls' source or a listener raises goes through.
    """
    simulator = Simulator(accelerator, training, energies)
    facts = calls.tell(simulator.add, *listeners)
    return simulator.simulation(calls.config, facts)


def simulate(
    model: nn.Module,
    inputs: Inputs | Supervised,
    accelerator: str | Accelerator = "eyeriss-168",
    config: ReuseConfig | PresetName | None = None,
    training: bool = True,
    normalisation: Statistics | None = None,
    energies: str | Path | Energies | None = None,
) -> Simulation:
    """Run one batch with reuse and count the cycles that it takes in hardware.

    The model is left as it was. The MCACHE is the accelerator's.

    Args:
        model: any network without reuse layers; it runs in evaluation mode (no dropout), but normalises as
            ``normalisation`` says.
        inputs: a tensor, or positional arguments, or keyword arguments of the network; with a loss, in
            training, dO goes by the Hitmaps of gradient vectors (paper III-C2) in place of the forward ones.
        accelerator: a preset's name, or a description.
        config: how similarity is found, or a preset's name; :meth:`Alike.paper` by default. Where it
            gives ``entries`` or ``ways``, they must be the accelerator's.
        training: count both backward products as well.
        normalisation: by which statistics batch normalisation normalises: ``"batch"``, as a training step
            does; ``"data"``, taken from the inputs first; ``"stored"``, the model's own. By default
            ``"batch"`` for training; for inference ``"data"`` where the stored ones are still those of a
            new layer, which normalise nothing, and ``"stored"`` otherwise.
        energies: a table, its name or its YAML file, by which energy is counted as well; None: they
            aren't.

    Raises:
        ValueError: an unknown accelerator or normalisation, an accelerator with fewer PEs than a kernel
            has rows, a configuration of another MCACHE, a model with no layer to count or with reuse
            layers already, or NaN or infinity in a layer's parameters or inputs. What the model raises
            goes through.
    """
    return simulate_batches(
        model, [inputs], accelerator, config, training, normalisation=normalisation, energies=energies
    )


def simulate_batches(
    model: nn.Module,
    batches: Iterable[Inputs | Supervised],
    accelerator: str | Accelerator = "eyeriss-168",
    config: ReuseConfig | PresetName | None = None,
    training: bool = True,
    listeners: Sequence[Listen] = (),
    normalisation: Statistics | None = None,
    energies: str | Path | Energies | None = None,
) -> Simulation:
    """As :func:`simulate`, batch after batch: memory is one batch's, cycles are the sum.

    Args:
        model, accelerator, config, training, normalisation, energies: as for :func:`simulate`.
        batches: inputs of the network; a fully connected layer compares the vectors of one batch. An
            iterator is held in memory where statistics are taken from the data first.
        listeners: each called with every layer's call, once it is counted, as ``HitmapWriter.add``.

    Raises:
        ValueError: as :func:`simulate`, or there is no batch, or someone listens and the Hitmaps would go
            by another order than the input's.
    """
    require_network(model)
    require_batches(batches)
    require_switch("training", training)
    hardware = as_accelerator(accelerator)
    simulated = simulated_config(config, hardware)
    if listeners and hardware.arrival != "raster":
        raise ArgumentError(
            f"arrival of accelerator {hardware.name!r} was {hardware.arrival!r}, but must be 'raster' for "
            "Hitmaps to be saved: who comes first would depend on this array"
        )
    reloads = training and (hardware.gradient_signatures == "reload" or bool(listeners))
    calls = NetworkCalls(model, batches, simulated, training, normalisation, reloads)
    return simulate_calls(calls, hardware, training, listeners, _table(energies))


def simulate_saved(
    path: str | Path,
    accelerator: str | Accelerator = "eyeriss-168",
    training: bool = True,
    listeners: Sequence[Listen] = (),
    energies: str | Path | Energies | None = None,
) -> Simulation:
    """Count the cycles of saved Hitmaps; no network runs.

    Args:
        path: a Parquet file of ``mercuric simulate --save-hitmaps``, or a folder of ``mercuric hitmap``.
        accelerator: a preset's name, or a description; its MCACHE must be that of the Hitmaps.
        training: count both backward products as well.
        listeners: each called with every layer's call, once it is counted.
        energies: as for :func:`simulate`.

    Raises:
        ValueError: an unknown accelerator, one with fewer PEs than a kernel has rows, with another MCACHE, or
            one that asks for more than was saved.
        MercuricError: a file is missing, damaged or something else.
    """
    require_switch("training", training)
    hardware = as_accelerator(accelerator)
    calls = saved_calls(countable_hitmaps(Path(path), hardware))
    return simulate_calls(calls, hardware, training, listeners, _table(energies))


def _table(energies: str | Path | Energies | None) -> Energies | None:
    return None if energies is None else as_energies(energies)


def found_with(config: Alike) -> dict[str, Any]:
    """What stands beside every figure of a configuration, ready for JSON."""
    return config.model_dump(
        mode="json", include={"bits", "granularity", "magnitude", "scope", "entries", "ways"}
    )
