"""Which vector comes first at the MCACHE, and so is the one that others reuse?"""

from dataclasses import replace

import torch
from torch import Tensor

from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse.observation import Observation
from mercuric.similarity import Hitmap
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work, observed_work


def counted_work(observation: Observation, accelerator: Accelerator) -> Work:
    """What the accelerator does for an observed product.

    Cache sets are there where queues need them; they would take most of the time that a training step is
    counted in.

    Raises:
        ValueError: the Hitmap does not fit the shape, or as :func:`arriving_hitmap`.
    """
    queued = accelerator.insertion_queue is not None
    work = observed_work(observation, accelerator.mcache if queued else None)
    return replace(work, hitmap=arriving_hitmap(observation, accelerator))


def arrived(call: LayerCall, accelerator: Accelerator) -> LayerCall:
    """The call by the order in which the accelerator's signatures arrive.

    A call that no layer was seen to make, as one of a file, keeps its own order.

    Raises:
        ValueError: as :func:`arriving_hitmap`.
    """
    if call.observation is None:
        return call
    return replace(call, work=replace(call.work, hitmap=arriving_hitmap(call.observation, accelerator)))


def arriving_hitmap(observation: Observation, accelerator: Accelerator) -> Hitmap | None:
    """The Hitmap in the order in which the accelerator's signatures arrive; vectors are numbered by raster.

    Raster order is that of the observation. Where the accelerator's dataflow has another one, signatures
    are looked up again in the accelerator's MCACHE. A representative may then come after its HITs in raster
    order.

    Raises:
        ValueError: the observation has no signatures to look up again, or the array is too small.
    """
    hitmap = observation.hitmap
    if hitmap is None:
        return None
    arrival = dataflow_of(accelerator).arrival(accelerator, observation.shape, observation.kind)
    if arrival is None:
        return hitmap
    if observation.signatures is None:
        raise ArgumentError(
            f"signatures of layer {observation.layer!r} were None, but arrival={accelerator.arrival!r} of "
            f"accelerator {accelerator.name!r} needs them, to look them up in the order in which they arrive"
        )
    order = torch.from_numpy(arrival).to(observation.signatures.device)
    context = None if observation.context is None else observation.context[:, order]
    arrived = accelerator.mcache.access(observation.signatures[:, order], context)
    return Hitmap(_by_raster(arrived.states, order), _by_raster(order[arrived.representatives], order))


def _by_raster(arrived: Tensor, order: Tensor) -> Tensor:
    return torch.empty_like(arrived).index_copy_(1, order, arrived)
