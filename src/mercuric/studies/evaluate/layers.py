"""What does each layer of a network cost on one batch, on several accelerators at once?"""

from collections.abc import Sequence

from torch import Tensor, nn

from mercuric.accelerator import Accelerator
from mercuric.accelerator.count.arrival import arrived
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import LayerCost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike
from mercuric.studies.evaluate.stream import ELEMENTS_AT_ONCE, StreamedCalls
from mercuric.trace.layer_call import LayerCall, dense_call
from mercuric.trace.workload import Workload

LayerCosts = dict[str, dict[Timing, LayerCost]]
"""A layer's costs by its name; a layer that is called twice costs both calls."""


class EnergyCounter:
    """Adds up what calls cost on an accelerator.

    Args:
        accelerator: what is counted.
        energies: its table.
        training: count the backward products as well.

    Attributes:
        layers: the costs so far.
    """

    def __init__(self, accelerator: Accelerator, energies: Energies, training: bool) -> None:
        self.layers: LayerCosts = {}
        self._accelerator, self._energies, self._training = accelerator, energies, training

    def add(self, call: LayerCall) -> None:
        """Count one call.

        Raises:
            ValueError: the accelerator is too small for the layer, or the call has no workload.
        """
        workload = call.workload
        if workload is None:
            raise ArgumentError(f"workload of layer {call.layer!r} was None, but its words must be known")
        cost = layer_cost(
            self._accelerator,
            arrived(call, self._accelerator).work,
            operands(workload.shape, workload.inputs, workload.fresh),
            needs_input_gradient=call.needs_input_gradient,
            training=self._training,
            energies=self._energies,
            product=call.product,
            reloaded=call.reloaded,
        )
        before = self.layers.get(call.layer) or {timing: LayerCost() for timing in TIMINGS}
        self.layers[call.layer] = {timing: before[timing] + cost[timing] for timing in TIMINGS}


def dense_costs(
    workloads: Sequence[Workload],
    accelerators: Sequence[Accelerator],
    energies: Sequence[Energies],
    *,
    training: bool,
) -> list[LayerCosts]:
    """Costs without reuse, an entry an accelerator: shapes are all it takes.

    Raises:
        ValueError: an accelerator is too small for the network.
    """
    counters = _counters(accelerators, energies, training)
    for call in map(dense_call, workloads):
        for counter in counters:
            counter.add(call)
    return [counter.layers for counter in counters]


def reuse_costs(
    network: nn.Module,
    images: Tensor,
    workloads: Sequence[Workload],
    config: Alike,
    accelerators: Sequence[Accelerator],
    energies: Sequence[Energies],
    *,
    training: bool,
    elements: int = ELEMENTS_AT_ONCE,
) -> list[LayerCosts]:
    """Costs with and without MERCURY, an entry an accelerator: the batch runs once, with reuse.

    Args:
        network, images, workloads, config, training, elements: as
            :class:`~mercuric.studies.evaluate.stream.StreamedCalls` has them.
        accelerators: what is counted.
        energies: the table of each.

    Raises:
        ValueError: an accelerator is too small for the network.
    """
    signatures = any(one.arrival != "raster" or one.insertion_queue is not None for one in accelerators)
    counters = _counters(accelerators, energies, training)
    calls = StreamedCalls(network, images, workloads, config, training, signatures, elements)
    calls.tell(*(counter.add for counter in counters))
    return [counter.layers for counter in counters]


def _counters(
    accelerators: Sequence[Accelerator], energies: Sequence[Energies], training: bool
) -> list[EnergyCounter]:
    pairs = zip(accelerators, energies, strict=True)
    return [EnergyCounter(accelerator, table, training) for accelerator, table in pairs]
