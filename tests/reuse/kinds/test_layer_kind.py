"""A kind of layers that this file alone knows reuses, is simulated, reported and taken off as any other."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mercuric
from mercuric import Alike, Directions
from mercuric.accelerator.engines.dense_layer import read_layers
from mercuric.reuse import layer_kinds
from mercuric.reuse.geometry import ConvGeometry
from mercuric.reuse.kinds.convolution import ConvolutionKind, ReuseConvolution, layer_geometry, named_layer


class Patches(nn.Module):
    """Squares that lie side by side become one pixel each; its weight is (inputs, rows, columns, outputs)."""

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, (side, side)
        self.weight = nn.Parameter(torch.randn(in_channels, side, side, out_channels) / 5)
        self.bias = nn.Parameter(torch.randn(out_channels))

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.weight.movedim(-1, 0), self.bias, self.kernel_size)


def outputs_first(weight: Tensor) -> Tensor:
    return weight.movedim(-1, 0)


class PatchesKind(ConvolutionKind):
    plain = Patches
    batched = 4
    view = staticmethod(outputs_first)
    reads = "(images, {channels}, height, width) or one such image"

    def geometry(self, module: Any) -> ConvGeometry:
        side = module.kernel_size
        return layer_geometry(named_layer(module), module.in_channels, module.out_channels, side, side)


class ReusePatches(ReuseConvolution, Patches):
    _mercuric_plain = Patches


PATCHES = ReusePatches._mercuric_kind = PatchesKind(ReusePatches)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(Patches(3, 24, 2), nn.ReLU(), Patches(24, 16, 2), nn.Flatten(), nn.Linear(64, 4))


IMAGES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(layer_kinds.KINDS, Patches, PATCHES)


def test_it_is_dense_until_its_line_is_in_the_table() -> None:
    handle = mercuric.reuse_(network())
    reason = "test_layer_kind.Patches is no kind of layer that reuses"
    assert handle.coverage.dense == {"0": reason, "2": reason}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("backward", ["exact", "signature"])
def test_it_reuses_and_is_taken_off(backward: Any) -> None:
    model = network()
    expected = model(IMAGES)
    handle = mercuric.reuse_(model, Alike(bits=3, magnitude=None, granularity="patch", backward=backward))
    assert isinstance(model[0], ReusePatches)
    model(IMAGES).sum().backward()
    report = handle.report().set_index("layer")
    assert report["vectors"].tolist() == [48, 12, 3] and report["kind"].tolist() == ["conv", "conv", "linear"]
    assert report.loc["0", "HIT"] > 0 and report.loc["0", "error"] > 0
    assert handle.coverage.reused == {"0": 48 * 12 * 24, "2": 12 * 96 * 16, "4": 3 * 64 * 4}
    mercuric.restore_(model)
    assert type(model[0]) is Patches and torch.equal(model(IMAGES), expected)


@pytest.mark.usefixtures("known")
def test_it_computes_in_directions() -> None:
    model = network()
    handle = mercuric.reuse_(model, Directions(rank=3, multiple=1))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        model(IMAGES).square().mean().backward()
        optimizer.step()
    assert handle.report()["computes"].tolist()[:2] == ["directions"] * 2
    assert torch.linalg.matrix_rank(model[0].weight.detach().flatten(0, 2), rtol=1e-4) == 3
    model.eval()
    found = model(IMAGES)
    mercuric.restore_(model)
    torch.testing.assert_close(model(IMAGES), found, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("known")
def test_it_is_simulated() -> None:
    model = network()
    with FlopCounterMode(display=False) as counter:
        model(IMAGES)
    assert 2 * sum(layer.macs for layer in read_layers(model, IMAGES)) == counter.get_total_flops()
    for accelerator in ("eyeriss-168", "weight-168"):
        simulation = mercuric.simulate(model, IMAGES, accelerator)
        assert simulation.layers["layer"].tolist() == ["0", "2", "4"]
        assert simulation.cycles().baseline >= 3 * counter.get_total_flops() / 2 / 168


@pytest.mark.usefixtures("known")
def test_wrong_inputs_get_its_own_sentence() -> None:
    model = network()
    mercuric.reuse_(model)
    sentence = r"^input of layer '0' was \(3, 4, 8, 8\), but must be \(images, 3, height, width\) or one such"
    with pytest.raises(ValueError, match=sentence):
        model(torch.randn(3, 4, 8, 8))
