"""Layers and attention in several forms: which figures there are, and that they are of those forms."""

import math

import pandas as pd
import pytest
import torch
from torch import nn

from mercuric.studies.bench.attention import bench_attention
from mercuric.studies.bench.attention import bench_attention_activations as attend
from mercuric.studies.bench.layer_times import AsConvolution, reuse_config, time_layer, with_limits
from mercuric.studies.bench.linear import bench_linear
from mercuric.studies.bench.principal import Shape, bench_activations, bench_ranks
from mercuric.studies.bench.settings import BenchSettings
from mercuric.subjects.layer_inputs import Subject, attention_inputs, layer_inputs

ONCE = BenchSettings(rounds=1)


def forms_of(table: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(table["form"], table["pass"], strict=True))


def test_each_form_is_timed_forward_and_with_its_backward_pass() -> None:
    layer, images = nn.Conv2d(4, 8, 3), torch.randn(2, 4, 6, 7).repeat(2, 1, 1, 1)
    rows = with_limits(time_layer(layer, images, {"reuse": reuse_config(30)}, ONCE), layer)
    assert [(row["form"], row["pass"]) for row in rows] == [
        ("dense", "forward"),
        ("reuse", "forward"),
        ("dense", "forward + backward"),
        ("reuse", "forward + backward"),
    ]
    for row in rows:
        assert row["ms"] > 0 and row["dense_ms"] > 0
        assert row["ms_q1"] <= row["ms"] <= row["ms_q3"]
    assert rows[0]["speedup"] == 1 and math.isnan(rows[0]["limit"])
    assert layer.weight.grad is None, "the layer that was given stays as it was"


def test_a_fully_connected_layer_is_the_same_as_a_convolution() -> None:
    linear, rows = nn.Linear(6, 4), torch.randn(3, 8, 6)
    torch.testing.assert_close(AsConvolution(linear)(rows), linear(rows))


def test_limits_follow_from_hits_and_ranks() -> None:
    row = {"form": "reuse", "hits": 0.75, "rank": math.nan, "speedup": 2.0}
    thin = {"form": "rank 16", "hits": math.nan, "rank": 16.0, "speedup": 1.0}
    layer = nn.Conv2d(8, 64, 3)
    limits = [one["limit"] for one in with_limits([row, thin], layer)]
    assert limits == [4.0, pytest.approx(1 / (16 / 64 + 16 / 72))]
    assert with_limits([row], layer)[0]["efficiency"] == 0.5


def test_ranks_are_of_the_shape_that_was_asked_for() -> None:
    table = bench_ranks(ONCE, (Shape(32, 6, 2),), (16, 0.5))
    assert set(table["form"]) == {"dense", "rank 16", "rank 1/2 M"}
    assert table[table["form"] == "rank 16"]["rank"].eq(16).all()
    with pytest.raises(ValueError, match="rank was 0"):
        bench_ranks(ONCE, (Shape(32, 6, 2),), (0,))


def test_planted_rows_hit_as_they_were_planted() -> None:
    table = bench_linear(ONCE, ((40, 16, 16),), (0.0, 0.5), ())
    hits = table[table["form"] == "reuse, 32 bits"].groupby("case")["hits"].first().tolist()
    assert hits == [0.0, 0.5]


def test_planted_queries_hit_as_they_were_planted() -> None:
    table = bench_attention(ONCE, ((1, 2, 20, 8),), (0.5,))
    assert forms_of(table) == {
        (form, kind) for form in ("dense", "reuse, 32 bits") for kind in ("forward", "forward + backward")
    }
    reused = table[table["form"] != "dense"]
    assert reused["hits"].eq(0.5).all() and reused["limit"].eq(2.0).all()
    assert reused["error"].max() < 1e-5, "equal queries share the same row"


class Small(nn.Module):
    """Two layers and an attention."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.idle = nn.Linear(8, 8), nn.Linear(8, 6), nn.Linear(2, 2)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(rows))[:, None]
        return self.second(nn.functional.scaled_dot_product_attention(x, x, x))


@pytest.fixture
def subject() -> Subject:
    return Subject(Small().eval(), (torch.randn(2, 5, 8),), "a small network")


def test_a_networks_own_inputs_are_taken_from_its_pass(subject: Subject) -> None:
    found = layer_inputs(subject, ["second"])
    layer, inputs = found["second"]
    assert layer is subject.network.get_submodule("second")
    torch.testing.assert_close(layer(inputs), subject.network(*subject.inputs))
    [(query, key, value)] = attention_inputs(subject)
    assert torch.equal(query, key) and torch.equal(key, value) and query.min() >= 0
    table = bench_activations(subject, ONCE, ["second"], (), (8,))
    attended = attend(subject, ONCE)
    for one, case in ((table, "second"), (attended, "attention 1 of 1")):
        assert one["inputs"].unique().tolist() == ["a small network"]
        assert one["case"].unique().tolist() == [case]


def test_layers_that_are_not_there_are_named(subject: Subject) -> None:
    with pytest.raises(ValueError, match=r"layer was 'third', but must be .*: first, second, idle"):
        layer_inputs(subject, ["third"])
    with pytest.raises(ValueError, match="layer was 'idle', but the network does not run it"):
        layer_inputs(subject, ["idle"])
    with pytest.raises(ValueError, match="calls no scaled_dot_product_attention"):
        attention_inputs(Subject(nn.Linear(2, 2), (torch.ones(1, 2),), "a layer"))
    with pytest.raises(ValueError, match="most was 0"):
        attend(subject, ONCE, most=0)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="rounds was 0"):
        BenchSettings(rounds=0)
    with pytest.raises(ValueError, match="dtype was 'float16'"):
        BenchSettings(dtype="float16")
    layer = nn.Linear(8, 8)
    half = time_layer(layer, torch.randn(6, 8), {}, BenchSettings(rounds=1, dtype="bfloat16"))
    assert {row["form"] for row in half} == {"dense"}
