"""Whole training steps, densely and with ``fast()``: figures of every network and layer."""

import math
import sys

import pandas as pd
import pytest
import torch
from torch import nn

from mercuric import ReuseConfig, fit_directions_, reuse_
from mercuric.reuse.judge.judge import Cost
from mercuric.studies.bench.layer_choice import Choice, keep_faster, layer_rows
from mercuric.studies.bench.peak_memory import peak_memory
from mercuric.studies.bench.table import train_columns
from mercuric.studies.bench.train import TrainBench, bench_train, make_trainer

SMALL = {"networks": ("custom-cnn",), "image_size": 32, "batch": 2, "rounds": 1, "memory": False}


@pytest.mark.parametrize("options", [{}, {"noise": True}, {"forward": True, "dtype": "bfloat16"}])
def test_figures_of_a_network_and_of_each_layer(options: dict[str, object]) -> None:
    networks, layers = bench_train(TrainBench(**{**SMALL, **options}))
    [row] = networks.to_dict("records")
    assert row["network"] == "custom-cnn" and row["ms"] > 0 and row["dense_ms"] > 0
    assert row["layers"] == len(layers) and row["kept"] == (layers["kept"] == "reuse").sum()
    assert math.isnan(row["choosing_share"]) == ("forward" in options)
    faster = layers["reuse_ms"] < layers["dense_ms"]
    assert (layers["kept"] == "dense")[~faster].all(), "what was measured to be slower is dense"


def test_a_step_trains_and_keeps_the_images_channels_last() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    before = model[0].weight.detach().clone()
    trainer = make_trainer(model, torch.randn(2, 3, 5, 5), torch.tensor([0, 1]), TrainBench())
    first = trainer.step()
    assert trainer.step() < first
    assert trainer.images.is_contiguous(memory_format=torch.channels_last)
    assert not torch.equal(model[0].weight, before)
    assert trainer.forward().shape == (2, 4) and not trainer.model.training


def test_layers_that_are_slower_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
    handle = reuse_(model, ReuseConfig.fast(0.25, None).model_copy(update={"keep": "always"}))
    costs = {"0": Cost(2.0, 1.0), "1": Cost(1.0, 2.0)}
    monkeypatch.setattr("mercuric.studies.bench.layer_choice.MeasuredCost.step", lambda *_: costs)
    rows = torch.randn(500, 64)
    fit_directions_(model, handle, [rows])
    choice = keep_faster(model, handle, lambda: model(rows).sum().backward())
    assert isinstance(choice, Choice) and choice.costs == costs
    shown = layer_rows(handle, choice)
    assert [row["kept"] for row in shown] == ["dense", "reuse"]
    assert [row["why"] for row in shown] == ["dense: not clearly faster", "directions"]
    assert [(row["reuse_ms"], row["dense_ms"]) for row in shown] == [(2.0, 1.0), (1.0, 2.0)]


def hungry(mebibytes: int):
    """Work that takes so much memory."""
    return lambda: bytearray(b"x") * (mebibytes * 2**20)


def test_memory_at_its_peak_is_of_the_work_alone() -> None:
    assert 190 < peak_memory(hungry, 200) < 260


def holes(mebibytes: int):
    """Work that frees every second of many tensors, and then takes larger ones that fit in no hole."""

    def run() -> list[torch.Tensor]:
        drawn = [torch.ones(2**18) for _ in range(mebibytes)]
        kept = drawn[::2]
        del drawn
        return [*kept, *(torch.ones(2**19) for _ in range(mebibytes // 4))]

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's mallopt")
def test_memory_that_was_freed_does_not_count() -> None:
    assert 190 < peak_memory(holes, 200) < 240


def test_memory_is_a_median_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([100.0, 110.0, 100.0, 102.0, 200.0, 210.0])

    def measured(_: object, network: str, *_rest: object) -> float:
        assert network == "custom-cnn"
        return next(peaks)

    monkeypatch.setattr("mercuric.studies.bench.train.peak_memory", measured)
    [row] = bench_train(TrainBench(**{**SMALL, "memory": True}))[0].to_dict("records")
    assert row["dense_mib"] == 100 and row["fast_mib"] == 110
    [memory] = [one for one in train_columns(pd.DataFrame([row])) if one.name == "memory"]
    assert memory.text(pd.Series(row)) == "1.05 (1.04-1.08)"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"networks": ("vgg12",)}, "network was 'vgg12', but must be one of"),
        ({"networks": ()}, "networks was empty"),
        ({"batch": 10**6}, "batch was 1000000, but must be from 1 to the"),
        ({"data": "help-en-de"}, "holds sentences, but custom-cnn needs images"),
    ],
)
def test_what_can_not_be_trained_is_named(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        bench_train(TrainBench(**{**SMALL, **fields}))
