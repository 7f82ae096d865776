from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mercuric.accelerator.energy.energies import LEVELS, as_energies
from mercuric.accelerator.energy.layer_cost import Cost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.hardware import preset
from mercuric.reuse.vectors import VectorShape
from mercuric.similarity.hitmap import Hitmap
from mercuric.trace.work import Work

SHAPE = VectorShape(scopes=4, vectors=64, rows=3, elements=3, filters=32, depth=4, output_rows=8)
TENSORS = operands(SHAPE, 4 * 64, 1)
EYERISS = preset("eyeriss-168")


def half_hit(shape: VectorShape = SHAPE) -> Work:
    states = torch.zeros(shape.scopes, shape.vectors, dtype=torch.uint8)
    states[:, ::2] = 1
    representatives = torch.arange(shape.vectors).expand(shape.scopes, -1) // 2 * 2
    return Work(shape, Hitmap(states, representatives), bits=8)


def test_energy_is_accesses_times_the_table() -> None:
    cost = layer_cost(EYERISS, half_hit(), TENSORS, training=False)["paper"].baseline
    counts, table = cost.accesses, as_energies("eyeriss")
    assert cost.energy["dram"] == 200 * counts.dram
    assert cost.energy["register_file"] == counts.register_file
    assert cost.total == sum(getattr(table, level) * getattr(counts, level) for level in LEVELS[:5])


def test_without_reuse_both_designs_cost_the_same() -> None:
    for costs in layer_cost(EYERISS, Work(SHAPE), TENSORS).values():
        assert costs.baseline == costs.mercury
        assert costs.mercury.energy["mcache_data"] == 0


def test_mercurys_structures_cost_something_and_their_own_price_counts() -> None:
    derived = layer_cost(EYERISS, half_hit(), TENSORS)["fair"].mercury
    assert all(derived.energy[level] > 0 for level in LEVELS if level != "link")
    dear = as_energies("eyeriss").model_copy(update={"hitmap": 16.0})
    given = layer_cost(EYERISS, half_hit(), TENSORS, energies=dear)["fair"].mercury
    assert given.energy["hitmap"] == given.accesses.hitmap
    assert given.energy["mcache_tag"] == derived.energy["mcache_tag"]


def test_training_costs_more_products_than_inference() -> None:
    costs = [
        layer_cost(EYERISS, Work(SHAPE), TENSORS, training=training, needs_input_gradient=needs)["paper"]
        for training, needs in ((False, True), (True, False), (True, True))
    ]
    macs = [cost.baseline.accesses.mac for cost in costs]
    assert macs == [SHAPE.macs, 2 * SHAPE.macs, 3 * SHAPE.macs]


def test_a_narrow_dram_makes_the_array_wait() -> None:
    free = layer_cost(EYERISS, half_hit(), TENSORS, training=False)["fair"]
    assert (free.baseline.dram_cycles, free.baseline.latency) == (0, free.baseline.cycles)
    narrow = EYERISS.changed(dram_words_per_cycle=0.25)
    bound = layer_cost(narrow, half_hit(), TENSORS, training=False)["fair"]
    for side in (bound.baseline, bound.mercury):
        assert side.dram_cycles == 4 * side.accesses.dram
        assert side.latency == max(side.cycles, side.dram_cycles)
    assert bound.mercury.latency == bound.mercury.dram_cycles


def test_costs_add_up() -> None:
    one = layer_cost(EYERISS, half_hit(), TENSORS)["fair"].mercury
    both = one + Cost() + one
    assert both.total == pytest.approx(2 * one.total)
    assert both.latency == 2 * one.latency
    assert both.accesses.buffer == 2 * one.accesses.buffer


def test_more_hits_cost_less() -> None:
    work = half_hit(replace(SHAPE, filters=256))
    assert work.hitmap is not None
    more = work.hitmap.states.clone()
    more[:, 2::4] = 0
    fewer = Work(work.shape, Hitmap(more, work.hitmap.representatives // 4 * 4), bits=8)
    for name in ("eyeriss-168", "weight-168", "input-168", "output-168"):
        costs = [layer_cost(preset(name), one)["paper"].mercury.total for one in (work, fewer)]
        assert costs[1] < costs[0]


def test_a_table_of_other_words_is_refused() -> None:
    with pytest.raises(ValueError, match="word_bits of energies 'horowitz-32' was 32, but must be the 16 of"):
        layer_cost(EYERISS, Work(SHAPE), TENSORS, energies=as_energies("horowitz-32"))
    wide = EYERISS.changed(word_bits=32, energies="horowitz-32")
    assert layer_cost(wide, Work(SHAPE), TENSORS)["fair"].baseline.total > 0


def test_the_worked_example_of_the_document() -> None:
    shape = VectorShape(scopes=64, vectors=1024, rows=3, elements=3, filters=64, depth=64)
    vectors = EYERISS.changed(dealing="vectors")
    work = replace(half_hit(shape), bits=20)
    text = (Path(__file__).parents[3] / "docs" / "energy.md").read_text(encoding="utf-8")
    for training, name in ((False, "inference"), (True, "training")):
        costs = layer_cost(vectors, work, operands(shape, 64 * 32 * 32, 1), training=training)
        rows = {
            f"{name}: `paper` baseline": costs["paper"].baseline,
            "`fair` baseline": costs["fair"].baseline,
            "MERCURY": costs["fair"].mercury,
        }
        for label, cost in rows.items():
            shown = [cost.energy[level] for level in ("mac", "register_file", "pe_to_pe", "buffer", "dram")]
            own = sum(cost.energy[level] for level in LEVELS[5:])
            cells = [*(f"{value / 1e6:.2f}" for value in shown), f"{own / 1e6:.2f}" if own else ""]
            row = " | ".join([label, *cells, f"{cost.total / 1e6:.2f}"]).replace("|  |", "| |")
            assert row in text


def test_a_stationary_weight_pays_once_a_batch_uses_it_often() -> None:
    cheapest = []
    for images in (1, 16):
        work = Work(VectorShape(1, images, 1, 9216, 4096), kind="linear")
        energies = {
            name: layer_cost(preset(f"simple-{name}-stationary"), work, training=False)["fair"].baseline.total
            for name in ("weight", "output")
        }
        cheapest.append(min(energies, key=energies.__getitem__))
    assert cheapest == ["output", "weight"]
