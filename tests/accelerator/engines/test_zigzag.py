"""ZigZag on layers whose cost is known by hand, and against the native energies (``docs/engines.md``)."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mercuric.accelerator import Accelerator, preset
from mercuric.accelerator.energy.energies import Energies
from mercuric.accelerator.energy.layer_cost import layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.engines.dense_layer import DenseLayer, read_layers
from mercuric.accelerator.engines.zigzag import evaluate_layers
from mercuric.accelerator.engines.zigzag_description import spatial_mapping
from mercuric.errors import MercuricError
from mercuric.torchvision_operators import torchvision
from mercuric.trace.work import Work
from mercuric.trace.workload import Workload, read_workloads

pytest.importorskip("zigzag")

EYERISS = preset("eyeriss-like")
PRESETS = ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary")
FREE = Energies(name="free", unit="pJ", mac=0, register_file=0, pe_to_pe=0, buffer=0, dram=0)
POINTWISE = DenseLayer("pixels", 1, 1, 24, 252, (1, 1), (4, 6), (1, 1), (1, 1), (4, 6), (0, 0))
DATAFLOWS: tuple[str, ...] = ("row", "weight", "input", "output")


def like(dataflow: str) -> Accelerator:
    return EYERISS.changed(dataflow=dataflow)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_operations_cost_a_multiplication_and_on_systolic_arrays_two_moves(dataflow: str) -> None:
    table = FREE.model_copy(update={"mac": 3.0, "pe_to_pe": 0.5})
    (cost,) = evaluate_layers([POINTWISE], like(dataflow), energies=table, lpf_limit=2)
    operations = (3.0 if dataflow == "row" else 4.0) * POINTWISE.macs
    if dataflow == "row":  # inputs and weights move where a register file is filled
        assert operations < cost.energy < operations + POINTWISE.macs
    else:
        assert cost.energy == pytest.approx(operations)
    assert cost.macs == 24 * 252 * 4 * 6


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_words_that_fit_into_the_buffer_cross_the_bus_once(dataflow: str) -> None:
    table = FREE.model_copy(update={"dram": 1.0})
    (cost,) = evaluate_layers([POINTWISE], like(dataflow), energies=table, lpf_limit=3)
    words = 24 * 4 * 6 + 24 * 252 + 252 * 4 * 6
    assert cost.energy == pytest.approx(words)


def test_padding_is_not_read_and_sums_are_read_and_written() -> None:
    conv = replace(POINTWISE, filters=28, kernel=(3, 3), padding=(1, 1))
    bus, registers = (FREE.model_copy(update={level: 1.0}) for level in ("dram", "register_file"))
    (moved,), (held,) = (
        evaluate_layers([conv], like("output"), energies=one, lpf_limit=3) for one in (bus, registers)
    )
    assert moved.energy == pytest.approx(24 * 4 * 6 + 9 * 24 * 28 + 28 * 4 * 6)
    assert held.energy == pytest.approx(2 * conv.macs, rel=0.01)


@pytest.mark.parametrize(
    ("dataflow", "cycles"),
    [
        ("weight", 24 // 12 * 252 // 14 * 4 * 6),
        ("input", 24 // 12 * 2 * 252),  # 24 pixels on 14 columns
        ("output", 4 * 6 // 12 * 252 // 14 * 24),
        ("row", 24 * 7 * 6),  # 4 rows of outputs of 36 filters at a time
    ],
)
def test_the_array_folds_a_layer_as_the_dataflow_says(dataflow: str, cycles: int) -> None:
    (cost,) = evaluate_layers([POINTWISE], like(dataflow), lpf_limit=2)
    assert cost.array_cycles == cycles
    assert cost.cycles >= cycles


def test_row_stationary_lays_window_rows_down_and_output_rows_across() -> None:
    conv = replace(POINTWISE, kernel=(3, 3), output=(4, 4))
    assert spatial_mapping(conv, EYERISS) == {"D1": [("FY", 3), ("K", 4)], "D2": [("OY", 4), ("K", 3)]}
    depthwise = replace(conv, groups=8, channels=8, filters=8)
    assert spatial_mapping(depthwise, EYERISS) == {"D1": [("FY", 3), ("G", 4)], "D2": [("OY", 4), ("G", 2)]}
    linear = replace(POINTWISE, output=(1, 1), filters=7)
    assert spatial_mapping(linear, EYERISS) == {"D1": [("FY", 1), ("K", 7)], "D2": [("OY", 1), ("C", 14)]}


def test_strides_dilations_groups_and_batches_are_mapped() -> None:
    odd = DenseLayer("odd", 2, 2, 4, 6, (3, 1), (5, 7), (2, 1), (1, 2), (11, 7), (0, 0))
    for dataflow in DATAFLOWS:
        (cost,) = evaluate_layers([odd], like(dataflow), lpf_limit=1)
        assert cost.array_cycles >= cost.macs / EYERISS.pes
        assert cost.energy > cost.macs


def test_a_slow_bus_makes_the_array_wait() -> None:
    free, slow = (EYERISS.changed(dram_words_per_cycle=words) for words in (None, 0.5))
    (fast,), (waits,) = (evaluate_layers([POINTWISE], one, lpf_limit=2) for one in (free, slow))
    assert fast.array_cycles == waits.array_cycles
    assert fast.cycles < waits.cycles


def test_layers_of_one_shape_are_searched_once() -> None:
    seen = []
    layers = [POINTWISE, replace(POINTWISE, name="again"), replace(POINTWISE, name="other", filters=28)]
    costs = evaluate_layers(layers, EYERISS, lpf_limit=2, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 2), (2, 2)]
    assert [cost.layer for cost in costs] == ["pixels", "again", "other"]
    assert replace(costs[1], layer="pixels") == costs[0]


def test_it_is_quiet_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    root, level = logging.getLogger(), logging.getLogger("zigzag").level
    handlers = list(root.handlers)
    evaluate_layers([POINTWISE], EYERISS, lpf_limit=2)
    assert tuple(capfd.readouterr()) == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert root.handlers == handlers
    assert logging.getLogger("zigzag").level == level


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "area"}, "objective was 'area', but must be one of"),
        ({"lpf_limit": 0}, "lpf_limit was 0, but must be at least 1"),
        (
            {"energies": FREE.model_copy(update={"word_bits": 8})},
            "word_bits of energies 'free' was 8, but must be the 16",
        ),
    ],
)
def test_an_argument_out_of_range_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_layers([POINTWISE], EYERISS, **arguments)  # type: ignore[arg-type]


def test_a_window_with_more_rows_than_the_array_is_named() -> None:
    tall = replace(POINTWISE, kernel=(13, 1), size=(16, 6))
    with pytest.raises(
        ValueError, match="rows of accelerator 'eyeriss-like' was 12, but must be at least the 13"
    ):
        evaluate_layers([tall], EYERISS)


def test_a_buffer_that_holds_no_tile_is_an_error() -> None:
    tiny = EYERISS.changed(dataflow="weight", rows=2, columns=1024, buffer_kib=1)
    wide = replace(POINTWISE, filters=1024)
    with pytest.raises(MercuricError, match="ZigZag found no mapping of layer 'pixels'"):
        evaluate_layers([wide], tiny, lpf_limit=1)


def test_without_zigzag_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zigzag.stages.main", None)
    with pytest.raises(MercuricError, match=r"pip install 'mercuric\[engines\]'"):
        evaluate_layers([POINTWISE], EYERISS)


def resnet_50() -> list[tuple[DenseLayer, Workload]]:
    """Its convolutions at 224 x 224, one image."""
    with torch.device("meta"):
        network, images = torchvision.models.resnet50(), torch.empty(1, 3, 224, 224)
        pairs = zip(read_layers(network, images), read_workloads(network, images), strict=True)
    return [(layer, work) for layer, work in pairs if layer.name != "fc"]


def native_energy(accelerator: Accelerator, work: Workload) -> float:
    tensors = operands(work.shape, work.inputs, work.fresh)
    return layer_cost(accelerator, Work(work.shape), tensors, training=False)["fair"].baseline.total


def test_both_models_rank_the_dataflows_alike_on_the_3x3_layer_that_resnet_50_has_most_of() -> None:
    ((layer, work),) = [pair for pair in resnet_50() if pair[0].name == "layer3.1.conv2"]
    native = [native_energy(preset(name), work) for name in PRESETS]
    zigzag = [evaluate_layers([layer], name, lpf_limit=4)[0].energy for name in PRESETS]
    assert native == sorted(native)
    assert zigzag == sorted(zigzag)
    for ours, theirs in zip(native, zigzag, strict=True):
        assert 0.75 < ours / theirs < 1


@pytest.mark.slow
def test_both_models_rank_the_dataflows_alike_on_the_3x3_layers_of_resnet_50() -> None:
    chosen = [(layer, work) for layer, work in resnet_50() if layer.kernel == (3, 3)]
    layers = [layer for layer, _ in chosen]
    native = [sum(native_energy(preset(name), work) for _, work in chosen) for name in PRESETS]
    zigzag = [sum(cost.energy for cost in evaluate_layers(layers, name, lpf_limit=4)) for name in PRESETS]
    assert native == sorted(native)
    assert zigzag == sorted(zigzag)
    for ours, theirs in zip(native, zigzag, strict=True):
        assert 0.8 < ours / theirs < 1
