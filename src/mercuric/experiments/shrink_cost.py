"""What does one inference cost on an accelerator, for a search to minimise?"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from mercuric.accelerator import Accelerator, read_workloads, with_cache
from mercuric.accelerator.energy import Cost, fitting
from mercuric.experiments.evaluation_layers import LayerCosts, dense_costs, reuse_costs
from mercuric.reuse import ReuseConfig


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

    Raises:
        ValueError: the accelerator is too small for the network.
    """
    config = ReuseConfig.paper()
    accelerator = with_cache(accelerator, config)
    costs = [
        layer[accelerator.timing].mercury
        for image in images.split(1)
        for layer in _reused(network, image, accelerator, config).values()
    ]
    return _sum(costs, len(images))


def macs_of(network: nn.Module, image: Tensor) -> int:
    """Multiply-accumulates of the dense forward products, groups counted."""
    return sum(workload.macs for workload in read_workloads(network, image))


def _reused(network: nn.Module, image: Tensor, accelerator: Accelerator, config: ReuseConfig) -> LayerCosts:
    workloads = read_workloads(network, image, config.granularity, config.scope)
    (layers,) = reuse_costs(
        network, image, workloads, config, [accelerator], [fitting(accelerator)], training=False
    )
    return layers


def _sum(costs: Iterable[Cost], images: int) -> InferenceCost:
    costs = list(costs)
    return InferenceCost(
        sum(cost.total for cost in costs) / images, sum(cost.latency for cost in costs) / images
    )
