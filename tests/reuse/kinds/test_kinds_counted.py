"""Do signals and transposed convolutions have cycles, energy, Hitmaps and bounds?"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kinds_subjects import SUBJECTS, built
from torch.utils.flop_counter import FlopCounterMode

from mercuric import Alike, reuse_
from mercuric.accelerator import CycleCounter, layer_cost, preset
from mercuric.accelerator.count.simulation import simulate_batches, simulate_saved
from mercuric.accelerator.engines.dense_layer import read_layers
from mercuric.studies.bounds.study import measure
from mercuric.studies.models.study import kind_of
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolderWriter
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.workload import read_workloads

ARRAYS = ["eyeriss-168", "weight-168", "output-168", "input-168"]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_cycles_and_energy(name: str, array: str) -> None:
    model, x = built(name)
    calls: list[LayerCall] = []
    simulation = simulate_batches(model, [x], array, listeners=[calls.append])
    with FlopCounterMode(display=False) as counter:
        model(x)
    macs = counter.get_total_flops() // 2
    assert sum(call.work.shape.macs for call in calls) == macs
    assert 2 * macs < 168 * simulation.cycles().baseline
    for call in calls:
        cost = layer_cost(preset(array), call.work)["fair"]
        # Forward, and both gradients, the first layer's input has none.
        assert cost.baseline.accesses.mac in (2 * call.work.shape.macs, 3 * call.work.shape.macs)
        assert cost.mercury.energy["mac"] > 0


@pytest.mark.parametrize("writer", [HitmapWriter, HitmapFolderWriter])
@pytest.mark.parametrize("name", SUBJECTS)
def test_saved_hitmaps_are_those_that_were_found(name: str, writer: Any, tmp_path: Path) -> None:
    model, x = built(name)
    path = tmp_path / "hitmaps"
    with writer(path, HitmapAbout({}, Alike.paper())) as saved:
        live = simulate_batches(model, [x], listeners=[saved.add])
        saved.finish(live.layers, live.run)
    again = simulate_saved(path)
    assert again.layers.equals(live.layers) and again.summary() == live.summary()


@pytest.mark.parametrize("name", SUBJECTS)
def test_dense_products_are_pytorchs(name: str) -> None:
    model, x = built(name)
    with FlopCounterMode(display=False) as counter:
        model(x)
    for found in (read_layers(model, x), read_workloads(model, x)):
        assert 2 * sum(one.macs for one in found) == counter.get_total_flops()
    assert all(one.operation is None for one in read_workloads(model, x))


@pytest.mark.parametrize("name", SUBJECTS)
def test_bounds(name: str) -> None:
    model, x = built(name)
    subject: Any = SimpleNamespace(network=model, inputs=(x,))
    config: Any = SimpleNamespace(bits=20)
    layers = measure(subject, config, CycleCounter("eyeriss-168", training=False)).set_index("layer")
    for layer in read_layers(model, x):
        assert layers.loc[layer.name, "macs"] == layer.macs
        assert 0 < layers.loc[layer.name, "zero_pruning"] <= layer.macs
        assert 0 < layers.loc[layer.name, "ucnn_8"] <= layer.macs


def test_kinds_of_products() -> None:
    model, _ = built("audio")
    handle = reuse_(model, Alike())
    kinds = {name: kind_of(handle.layers[name], model) for name in ("0", "5", "7")}
    assert kinds == {"0": "convolution", "5": "convolution", "7": "1x1"}
