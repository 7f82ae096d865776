"""Does a summary say of each layer what it is, what it costs, and whether reuse covers it?"""

import pytest
import torch
from torch import nn

import mercuric


class Branch(nn.Module):
    """A layer, a product of a function, a module that is never called, and a subclass that stays dense."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.idle = nn.Linear(5, 5)
        self.own = OwnLinear(8 * 4 * 4, 10, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.first(x)).flatten(1)
        return self.own(features) @ torch.ones(10, 2)


class OwnLinear(nn.Linear):
    pass


def test_layers_are_counted_and_what_reuse_leaves_out_says_why() -> None:
    told = mercuric.summary(Branch(), torch.rand(2, 3, 4, 4), "paper")
    rows = told.layers.set_index("layer")
    assert rows.loc["first", ["kind", "output", "parameters", "macs", "reuse"]].tolist() == [
        "Conv2d", "2 x 8 x 4 x 4", 3 * 9 * 8 + 8, 2 * 16 * 8 * 27, "covered",
    ]  # fmt: skip
    assert rows.loc["own", "macs"] == 2 * 128 * 10 and "subclass" in rows.loc["own", "reuse"]
    assert rows.loc["idle", "output"] == "not called" and rows.loc["idle", "macs"] == 0
    assert rows.loc["Branch", ["kind", "macs"]].tolist() == ["function", 2 * 10 * 2]
    assert told.parameters == told.trained == sum(one.numel() for one in Branch().parameters())
    assert told.macs == rows["macs"].sum() and told.covered == pytest.approx(
        rows.loc["first", "macs"] / told.macs
    )
    text = str(told)
    assert (
        "Conv2d" in text and "layers that Alike covers" in text and f"{told.parameters:,} parameters" in text
    )
    assert "<td>first</td>" in told._repr_html_()


def test_a_network_that_reuses_keeps_its_counts_and_its_classes() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3))
    inputs = torch.rand(1, 1, 8, 8)
    plain = mercuric.summary(model, inputs, filter_fn="2").layers
    handle = mercuric.reuse_(model, filter_fn="2")
    told = mercuric.summary(model, inputs).layers
    assert told.drop(columns="reuse").equals(plain.drop(columns="reuse"))
    assert told["reuse"].tolist() == ["it was left dense", "", "covered", "", "it was left dense"]
    assert all(layer.counts.vectors == 0 and layer.counting for layer in handle.layers.values())
    assert plain["reuse"].tolist() == [
        "filter_fn leaves it out",
        "",
        "covered",
        "",
        "filter_fn leaves it out",
    ]


def test_attention_is_one_layer() -> None:
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    told = mercuric.summary(nn.Sequential(model), torch.rand(1, 3, 8)).layers.set_index("layer")
    assert told.loc["0.self_attn", "parameters"] == 4 * 8 * 8 + 4 * 8
    assert not told.index.str.startswith("0.self_attn.").any()
    assert told["macs"].sum() >= 3 * (4 * 8 * 8 + 2 * 8 * 16)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(mercuric.ArgumentError, match=r"model was 5, but must be an nn\.Module"):
        mercuric.summary(5, torch.rand(1))  # type: ignore[arg-type]
    with pytest.raises(mercuric.ArgumentError, match="without any layer to count"):
        mercuric.summary(nn.Sequential(nn.ReLU()), torch.rand(1))
