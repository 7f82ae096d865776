"""SCALE-Sim counts the products that our closed forms count."""

import pytest
import torch

from mercuric import MercuricError, ReuseConfig, data, zoo
from mercuric.accelerator import preset
from mercuric.accelerator.count.layer_cycles import product_cycles
from mercuric.accelerator.count.simulation import simulate_batches
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity import Hitmap
from mercuric.studies.simulate.scalesim_cycles import LayerGemms, ScaleSimCycles
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.work import Work

SHAPE = VectorShape(scopes=4, vectors=3, rows=3, elements=3, filters=8, images=2, depth=2)


def test_products_of_a_layer() -> None:
    states = torch.tensor([[1, 0, 0], [1, 1, 2], [1, 0, 1], [1, 0, 0]], dtype=torch.uint8)
    gemms = LayerGemms()
    gemms.add(LayerCall("conv", Work(SHAPE, Hitmap(states, torch.zeros_like(states).long()), 20)))
    assert gemms.dense == {(6, 18, 8): 1}
    assert gemms.scoped == {(3, 9, 8): 4}
    assert gemms.product == {(1, 9, 8): 2, (3, 9, 8): 1, (2, 9, 8): 1}
    assert gemms.signature == {(3, 9, 20): 4}


def test_a_layer_without_reuse() -> None:
    gemms = LayerGemms()
    gemms.add(LayerCall("conv", Work(SHAPE)))
    assert gemms.product == gemms.scoped == {(3, 9, 8): 4}
    assert not gemms.signature


@pytest.mark.parametrize("name", ["weight-168", "input-168", "output-168"])
def test_scalesim_counts_what_we_count(name: str) -> None:
    pytest.importorskip("scalesim")
    torch.manual_seed(0)
    model = zoo.build("custom-cnn", 7, 3, 16)
    photo = data.load("photos", image_size=16).train.batch(torch.arange(1))[0]
    accelerator, told = preset(name), list[tuple[int, int]]()
    engine, calls = ScaleSimCycles(accelerator), list[LayerCall]()
    config = ReuseConfig.paper()
    simulate_batches(model, [photo], accelerator, config, listeners=[engine.add, calls.append])
    layers = engine.layers(lambda done, total: told.append((done, total))).set_index("layer")
    for call in calls:
        cycles = product_cycles(accelerator, call.work)
        row = layers.loc[call.layer]
        assert row["scalesim_dense"] == cycles["fair"].baseline
        assert row["scalesim_scoped"] == cycles["paper"].baseline
        assert row["scalesim_product"] == cycles["paper"].product
        assert row["scalesim_signature"] == cycles["paper"].signature
    assert told[0][0] == 0
    assert told[-1] == (told[-1][1], told[-1][1])


def test_row_stationary_is_not_scalesims() -> None:
    pytest.importorskip("scalesim")
    with pytest.raises((ValueError, MercuricError), match="dataflow of accelerator 'eyeriss-168' was 'row'"):
        ScaleSimCycles(preset("eyeriss-168"))


def test_one_baseline_for_both_timings_is_refused() -> None:
    with pytest.raises(ValueError, match="baseline_depth of accelerator 'weight-168-whole-free' was 'whole'"):
        ScaleSimCycles(preset("weight-168-whole-free"))
