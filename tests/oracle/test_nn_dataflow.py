"""nn-dataflow against the row-stationary closed form; ``docs/engines.md`` explains the bounds."""

import sys
from dataclasses import replace
from math import ceil, prod

import pytest
import torch

from mercuric.accelerator import preset
from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles
from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.engines.dense_layer import DenseLayer, read_layers
from mercuric.errors import MercuricError
from mercuric.torchvision_operators import torchvision
from mercuric.trace.workload import read_workloads
from oracle.nn_dataflow import row_stationary_cycles

pytest.importorskip("nn_dataflow")

EYERISS = preset("eyeriss-like")
SMALL = DenseLayer("small", 1, 1, 2, 8, (3, 3), (14, 14), (1, 1), (1, 1), (14, 14), (1, 1))
POINTWISE = replace(SMALL, kernel=(1, 1), padding=(0, 0))
RESNET_50 = (
    "conv1",
    "layer1.0.conv1",
    "layer1.0.conv2",
    "layer1.0.conv3",
    "layer1.1.conv1",
    "layer2.0.conv2",
    "layer2.0.conv3",
    "layer2.1.conv2",
    "layer3.0.conv2",
    "layer3.0.conv3",
    "layer4.0.conv3",
    "layer4.1.conv2",
)


def test_an_array_full_of_pe_sets_takes_a_cycle_a_multiplication() -> None:
    (cost,) = row_stationary_cycles([SMALL], EYERISS)
    assert cost.array_cycles == 3 * 14 * 2 * 8 / 4  # 4 PE sets of 3 x 14, an output row in each PE
    assert cost.cycles == ceil(cost.dram / 4) > cost.array_cycles  # the bus moves 4 words a cycle


def test_words_that_fit_on_the_chip_cross_the_bus_once() -> None:
    (cost,) = row_stationary_cycles([POINTWISE], EYERISS)
    assert cost.dram == 2 * 14 * 14 + 2 * 8 + 8 * 14 * 14


def test_energy_is_the_sum_of_its_accesses() -> None:
    table = Energies(name="t", unit="pJ", mac=3, register_file=5, pe_to_pe=7, buffer=11, dram=13)
    (cost,) = row_stationary_cycles([SMALL], EYERISS, energies=table)
    accesses = 5 * cost.register_file + 7 * cost.pe_to_pe + 11 * cost.buffer + 13 * cost.dram
    assert cost.energy == pytest.approx(3 * cost.macs + accesses)
    assert cost.register_file == 4 * cost.macs


def test_groups_run_one_after_the_other() -> None:
    grouped = replace(SMALL, name="grouped", groups=2, channels=4, filters=16)
    one, two = row_stationary_cycles([SMALL, grouped], EYERISS)
    assert (two.layer, two.macs) == ("grouped", 2 * one.macs)
    assert (two.array_cycles, two.dram, two.energy) == (2 * one.array_cycles, 2 * one.dram, 2 * one.energy)


def test_layers_of_one_shape_are_scheduled_once() -> None:
    seen = []
    layers = [SMALL, replace(SMALL, name="again"), POINTWISE]
    costs = row_stationary_cycles(layers, EYERISS, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 2), (2, 2)]
    assert [cost.layer for cost in costs] == ["small", "again", "small"]
    assert replace(costs[1], layer="small") == costs[0]


def test_the_closed_form_is_as_far_from_it_as_idle_pes_explain() -> None:
    with torch.device("meta"):
        network, images = torchvision.models.resnet50(), torch.empty(1, 3, 224, 224)
        layers, workloads = read_layers(network, images), read_workloads(network, images)
    chosen = [(layer, work) for layer, work in zip(layers, workloads, strict=True) if layer.name in RESNET_50]
    costs = row_stationary_cycles([layer for layer, _ in chosen], EYERISS)
    for (layer, work), cost in zip(chosen, costs, strict=True):
        shape, sets = work.shape, EYERISS.pes // work.shape.rows
        busy = layer.macs / EYERISS.pes
        ours = baseline_cycles(EYERISS.changed(dealing="vectors"), shape, "fair") / busy
        # The fullest of our PE sets has a vector more than others, and a small image leaves sets idle.
        imbalance = sets * ceil(shape.vectors / sets) / shape.vectors
        assert imbalance <= ours <= 1.01 * imbalance, layer.name  # 1 %: the drains of every scope
        # nn-dataflow gives idle sets other filters and channels, but cuts no PE set in two.
        rows_used = EYERISS.rows // layer.kernel[0] * layer.kernel[0]
        theirs = cost.array_cycles / busy * rows_used / EYERISS.rows
        assert 1 <= theirs <= 1.04, layer.name
        dealt = baseline_cycles(EYERISS.changed(dealing="products"), shape, "fair") / busy
        assert 1 <= dealt <= 1.005, layer.name  # drains
        rows = baseline_cycles(EYERISS, shape, "fair")
        assert 0.99 <= rows / cost.array_cycles <= 1.032, layer.name
        # What is left is nn-dataflow's fragments.
        assert 0.965 <= dealt / theirs <= 1.005, layer.name
    assert sum(prod(layer.kernel) == 1 for layer, _ in chosen) == 6


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (replace(SMALL, dilation=(2, 2)), "no schedule for layer 'small': it knows no dilation"),
        (
            replace(SMALL, kernel=(7, 7), output=(8, 8)),
            "no schedule for layer 'small' on 12 x 14 PEs: it maps no layer that leaves half of them idle",
        ),
    ],
)
def test_layers_that_it_cannot_map_are_named(layer: DenseLayer, message: str) -> None:
    with pytest.raises(MercuricError, match=message):
        row_stationary_cycles([layer], EYERISS)


def test_memories_that_are_too_small_are_named() -> None:
    tiny = EYERISS.changed(register_file_words=3)
    with pytest.raises(MercuricError, match="its tiles do not fit into registers of 3 words and a buffer"):
        row_stationary_cycles([SMALL], tiny)


def test_other_dataflows_are_refused() -> None:
    with pytest.raises(ValueError, match="dataflow of accelerator 'weight-168' was 'weight', but must be"):
        row_stationary_cycles([SMALL], "weight-168")


def test_without_nn_dataflow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nn_dataflow.core", None)
    with pytest.raises(MercuricError, match=r"pip install 'mercuric\[engines\]'"):
        row_stationary_cycles([SMALL], EYERISS)
