"""What does one inference cost on an accelerator, for a search to minimise?"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mercuric.accelerator import Accelerator, read_workloads
from mercuric.accelerator.count.energy_counter import LayerCosts
from mercuric.accelerator.energy.layer_cost import Cost, LayerCost, fitting
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.reuse import Alike
from mercuric.studies.evaluate.layers import dense_costs, reuse_costs


@dataclass(frozen=True)
class InferenceCost:
    """The forward products of one image.

    Attributes:
        energy: in the unit of the accelerator's energies.
        latency: in clock cycles.
    """

    energy: float
    latency: float


def dense_cost(network: nn.Module, image: Tensor, accelerator: Accelerator) -> InferenceCost:
    """Without reuse, in the accelerator's timing; shapes are all it takes, so ``"meta"`` will do.

    Raises:
        ValueError: the accelerator is too small for the network.
    """
    workloads = read_workloads(network, image)
    (layers,) = dense_costs(workloads, [accelerator], [fitting(accelerator)], training=False)
    return _sum([layer[accelerator.timing].baseline for layer in layers.values()], 1)


def mercury_cost(network: nn.Module, images: Tensor, accelerator: Accelerator) -> InferenceCost:
    """With MERCURY as the paper has it: the mean over ``images``, each a batch of its own.

    A layer in which it saves no time is off, as adaptation leaves it (paper III-D).

    Raises:
        ValueError: the accelerator is too small for the network.
    """
    config = simulated_config(None, accelerator)
    layers: dict[str, LayerCost] = {}
    for image in torch.split(images, 1):
        for name, timings in _reused(network, image, accelerator, config).items():
            layers[name] = layers.get(name, LayerCost()) + timings[accelerator.timing]
    return _sum([_cheaper(layer) for layer in layers.values()], len(images))


def macs_of(network: nn.Module, image: Tensor) -> int:
    """Multiply-accumulates of the dense forward products, groups counted."""
    return sum(workload.macs for workload in read_workloads(network, image))


def _reused(network: nn.Module, image: Tensor, accelerator: Accelerator, config: Alike) -> LayerCosts:
    workloads = read_workloads(network, image, config.granularity, config.scope)
    (layers,) = reuse_costs(
        network, image, workloads, config, [accelerator], [fitting(accelerator)], training=False
    )
    return layers


def _cheaper(layer: LayerCost) -> Cost:
    return layer.mercury if layer.mercury.latency < layer.baseline.latency else layer.baseline


def _sum(costs: Sequence[Cost], images: int) -> InferenceCost:
    return InferenceCost(
        sum(cost.total for cost in costs) / images, sum(cost.latency for cost in costs) / images
    )
