"""What does each layer of a network cost on one batch, on several accelerators at once?"""

from collections.abc import Sequence

from torch import nn

from mercuric.accelerator import Accelerator
from mercuric.accelerator.count.energy_counter import EnergyCounter, LayerCosts
from mercuric.accelerator.energy.energies import Energies
from mercuric.reuse import Alike
from mercuric.studies.evaluate.stream import ELEMENTS_AT_ONCE, StreamedCalls
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.layer_call import dense_call
from mercuric.trace.workload import Workload


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
    images: Inputs,
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
