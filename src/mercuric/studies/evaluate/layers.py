"""What does each layer of a network cost on one batch, on several accelerators at once?"""

from collections import defaultdict, deque
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mercuric.accelerator import Accelerator
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import Cost, LayerCost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.reuse import Alike, Observation
from mercuric.reuse.modes import evaluating
from mercuric.studies.evaluate.stream import ELEMENTS_AT_ONCE, image_by_image
from mercuric.trace.network_calls import reusing
from mercuric.trace.normalisation import normalisation_of, normalised
from mercuric.trace.work import Work, counted_work
from mercuric.trace.workload import Workload

LayerCosts = dict[str, dict[Timing, LayerCost]]
"""A layer's costs by its name; a layer that is called twice costs both calls."""


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
    counted: list[LayerCosts] = [{} for _ in accelerators]
    for workload in workloads:
        for costs, accelerator, table in zip(counted, accelerators, energies, strict=True):
            work = Work(workload.shape, kind=workload.kind)
            _add(costs, workload, _cost(accelerator, table, workload, work, training))
    return counted


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

    Layers take it image by image and are counted once for all of it; only one layer's Hitmap is in memory
    at a time (see :func:`~mercuric.studies.evaluate.stream.image_by_image`). Batch normalisation gets
    the whole batch, as :func:`~mercuric.trace.normalisation.normalisation_of` says. The network is
    left as it was.

    Args:
        network: without reuse layers.
        images: the batch.
        workloads: what :func:`read_workloads` says of the same network and batch.
        config: how similarity is found.
        accelerators: what is counted.
        energies: the table of each.
        training: count the backward products as well.
        elements: of a layer's input that are computed at a time, at least an image.

    Raises:
        ValueError: an accelerator is too small for the network.
    """
    counted: list[LayerCosts] = [{} for _ in accelerators]
    calls: dict[str, deque[Workload]] = defaultdict(deque)
    for workload in workloads:
        calls[workload.layer].append(workload)

    def count(seen: Observation) -> None:
        workload = calls[seen.layer].popleft()
        for costs, accelerator, table in zip(counted, accelerators, energies, strict=True):
            work = counted_work(seen, accelerator)
            _add(costs, workload, _cost(accelerator, table, workload, work, training))

    by = normalisation_of(network, training)
    signatures = any(one.arrival != "raster" or one.insertion_queue is not None for one in accelerators)
    with reusing(network, config) as handle:
        for state in handle.layers.values():
            state.error_due = False
        streamed = image_by_image(network, handle, count, signatures=signatures, elements=elements)
        with torch.no_grad(), evaluating(network), normalised(network, by, [images]), streamed:
            network(images)
    left = [workload for waiting in calls.values() for workload in waiting]
    for costs, without in zip(
        counted, dense_costs(left, accelerators, energies, training=training), strict=True
    ):
        costs |= without
    return counted


def _cost(
    accelerator: Accelerator, table: Energies, workload: Workload, work: Work, training: bool
) -> dict[Timing, LayerCost]:
    return layer_cost(
        accelerator,
        work,
        operands(workload.shape, workload.inputs, workload.fresh),
        needs_input_gradient=workload.needs_input_gradient,
        training=training,
        energies=table,
    )


def _add(costs: LayerCosts, workload: Workload, cost: dict[Timing, LayerCost]) -> None:
    before = costs.get(workload.layer) or {timing: LayerCost(Cost(), Cost()) for timing in TIMINGS}
    costs[workload.layer] = {
        timing: LayerCost(
            before[timing].baseline + cost[timing].baseline, before[timing].mercury + cost[timing].mercury
        )
        for timing in TIMINGS
    }
