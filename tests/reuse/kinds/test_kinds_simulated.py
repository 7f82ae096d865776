"""Are networks of one-dimensional and transposed convolutions counted on every dataflow, saved and read?"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mercuric
from mercuric.accelerator import preset
from mercuric.accelerator.count.simulation import simulate_batches, simulate_saved
from mercuric.accelerator.energy.layer_cost import layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.work import Work
from mercuric.trace.workload import read_workloads

Network = Callable[[], tuple[nn.Module, Tensor]]
ARRAYS = ["eyeriss-168", "weight-168", "input-168", "output-168"]


def sound() -> tuple[nn.Module, Tensor]:
    """Strided convolutions of a waveform, and a dense layer of what is left of it."""
    layers = [nn.Conv1d(1, 8, 9, 4), nn.ReLU(), nn.Conv1d(8, 8, 3, 2, 1, groups=2), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3)), torch.randn(
        2, 1, 96
    )


def generator() -> tuple[nn.Module, Tensor]:
    """DCGAN's, narrow: noise, then images twice as large with each layer."""
    return nn.Sequential(
        nn.ConvTranspose2d(12, 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    ), torch.randn(2, 12, 1, 1)


NETWORKS = pytest.mark.parametrize("network", [sound, generator])


@NETWORKS
@pytest.mark.parametrize("array", ARRAYS)
def test_every_layer_has_cycles_and_reuses(network: Network, array: str) -> None:
    model, x = network()
    with FlopCounterMode(display=False) as counter:
        model(x)
    simulation = mercuric.simulate(model, x, array)
    assert simulation.coverage["dense"] == []
    assert simulation.coverage["left_out"] == []
    assert 2 * simulation.coverage["macs"] == counter.get_total_flops()
    assert (simulation.layers["fair_baseline"] > 0).all()
    kinds = [type(module) for module in model if isinstance(module, nn.Linear | nn.modules.conv._ConvNd)]
    assert list(simulation.layers["kind"]) == ["linear" if kind is nn.Linear else "conv" for kind in kinds]


@NETWORKS
@pytest.mark.parametrize("array", ARRAYS)
def test_every_layer_takes_energy(network: Network, array: str) -> None:
    for one in read_workloads(*network()):
        work = Work(one.shape, kind=one.kind)
        cost = layer_cost(preset(array), work, operands(one.shape, one.inputs, one.fresh))["fair"].baseline
        assert cost.total > 0


@NETWORKS
def test_saved_hitmaps_are_counted_as_the_network_was(network: Network, tmp_path: Path) -> None:
    model, x = network()
    path = tmp_path / "hitmaps.parquet"
    config = mercuric.Alike.paper()
    with HitmapWriter(path, HitmapAbout({}, config)) as writer:
        simulated = simulate_batches(model, [x], config=config, listeners=[writer.add])
        writer.finish(simulated.layers)
    assert simulate_saved(path).cycles() == simulated.cycles()
