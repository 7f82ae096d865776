"""Rows dealt, beside what Eyeriss was measured to take (Y.-H. Chen et al., JSSC 2017, Tables V and VI).

The published processing latencies leave the loads from DRAM out, as the cycle model does.
"""

from dataclasses import dataclass

import pytest

from mercuric.accelerator.dataflows.row_stationary.cycles import baseline_cycles
from mercuric.accelerator.dataflows.row_stationary.dealing import deal
from mercuric.accelerator.energy.layer_cost import Cost, layer_cost
from mercuric.accelerator.energy.operands import operands
from mercuric.accelerator.hardware import Accelerator, preset
from mercuric.reuse.vectors import VectorShape
from mercuric.trace.work import Work

EYERISS = preset("eyeriss-168")
VECTORS = EYERISS.changed(dealing="vectors")
BUFFER_WORDS = 8
"""Words of 16 bits that its buffer gives or takes in a cycle: our reading of the published figures."""


@dataclass(frozen=True)
class Published:
    """A layer, its processing latency in ms and the accesses of the global buffer in MB of 2^20 bytes."""

    channels: int
    filters: int
    side: int
    kernel: int
    latency: float
    buffer: float
    groups: int = 1

    def shape(self, images: int) -> VectorShape:
        depth = self.channels // self.groups
        return VectorShape(
            images * self.channels, self.side**2, self.kernel, self.kernel, self.filters // self.groups,
            images, depth, self.side,
        )  # fmt: skip

    @property
    def buffer_ms(self) -> float:
        return 1e3 * EYERISS.seconds(int(self.buffer * 2**20 / 2 / BUFFER_WORDS))


ALEXNET = {
    "conv1": Published(3, 96, 55, 11, 16.5, 18.5),
    "conv2": Published(96, 256, 27, 5, 39.2, 77.6, groups=2),
    "conv3": Published(256, 384, 13, 3, 21.8, 50.2),
    "conv4": Published(384, 384, 13, 3, 16.0, 37.4, groups=2),
    "conv5": Published(384, 256, 13, 3, 10.0, 24.9, groups=2),
}
VGG16 = {
    "conv1_1": Published(3, 64, 224, 3, 38.0, 112.5),
    "conv1_2": Published(64, 64, 224, 3, 810.6, 2402.8),
    "conv2_1": Published(64, 128, 112, 3, 405.3, 1201.4),
    "conv2_2": Published(128, 128, 112, 3, 810.8, 2402.8),
    "conv3_1": Published(128, 256, 56, 3, 204.0, 607.4),
    "conv3_2": Published(256, 256, 56, 3, 408.1, 1214.8),
    "conv3_3": Published(256, 256, 56, 3, 408.1, 1214.8),
    "conv4_1": Published(256, 512, 28, 3, 105.1, 321.8),
    "conv4_2": Published(512, 512, 28, 3, 210.0, 643.7),
    "conv4_3": Published(512, 512, 28, 3, 210.0, 643.7),
    "conv5_1": Published(512, 512, 14, 3, 48.3, 90.0),
    "conv5_2": Published(512, 512, 14, 3, 48.5, 90.0),
    "conv5_3": Published(512, 512, 14, 3, 48.5, 90.0),
}


def milliseconds(layer: Published, images: int, array: Accelerator = EYERISS) -> float:
    shape = layer.shape(images)
    return 1e3 * EYERISS.seconds(baseline_cycles(array, shape, "fair"))


@pytest.mark.parametrize(
    ("name", "share"), [("conv1", 0.84), ("conv2", 0.85), ("conv3", 0.88), ("conv4", 0.90), ("conv5", 0.96)]
)
def test_alexnet_of_four_images(name: str, share: float) -> None:
    """Of the published latency, 4 to 16 % less: what its PEs wait for isn't counted."""
    layer = ALEXNET[name]
    assert milliseconds(layer, 4) / layer.latency == pytest.approx(share, abs=0.006)
    assert layer.buffer_ms < milliseconds(layer, 4)


@pytest.mark.parametrize(
    ("name", "active"), [("conv1", 154), ("conv2", 135), ("conv3", 156), ("conv4", 156), ("conv5", 156)]
)
def test_as_many_pes_work_as_on_the_chip(name: str, active: int) -> None:
    layer = ALEXNET[name]
    assert len(deal(EYERISS, layer.shape(4)).products) * layer.kernel == active


def dense(name: str) -> Cost:
    """Four images' forward product, whose inputs are counted without their padding."""
    layer = ALEXNET[name]
    shape, pixels = layer.shape(4), 227 if name == "conv1" else layer.side
    tensors = operands(shape, 4 * layer.channels * pixels**2)
    return layer_cost(EYERISS, Work(shape), tensors, training=False)["fair"].baseline


@pytest.mark.parametrize(
    ("name", "share"), [("conv1", 0.99), ("conv2", 0.65), ("conv3", 1.06), ("conv4", 1.01), ("conv5", 0.94)]
)
def test_buffer_of_alexnet(name: str, share: float) -> None:
    """Within 7 % of the chip's accesses, but in conv2, where it visits partial sums more often than ours."""
    accessed = dense(name).accesses.buffer * 2 / 2**20
    assert accessed / ALEXNET[name].buffer == pytest.approx(share, abs=0.006)


DRAM = {"conv1": 5.0, "conv2": 4.0, "conv3": 3.0, "conv4": 2.1, "conv5": 1.3}
"""Table V, in MB of 10^6 bytes, by which its 15.4 MB are the 0.0029 words a multiplication that it gives."""


def test_dram_of_alexnet() -> None:
    """The chip compresses, so it moves less than ours the more zeros its inputs have (from 0 % to 79 %)."""
    macs = sum(layer.shape(4).macs for layer in ALEXNET.values())
    assert sum(DRAM.values()) * 1e6 / 2 / macs == pytest.approx(0.0029, abs=0.00005)
    words = {name: dense(name).accesses.dram for name in ALEXNET}
    assert sum(words.values()) / macs == pytest.approx(0.0032, abs=0.0001)
    shares = [words[name] * 2 / 1e6 / DRAM[name] for name in ALEXNET]
    assert shares == pytest.approx([0.73, 0.95, 1.34, 1.62, 1.75], abs=0.006)


MILLIWATTS = {"conv1": 332, "conv2": 288, "conv3": 266, "conv4": 235, "conv5": 236}
LATENCY = {"conv1": 20.9, "conv2": 41.9, "conv3": 23.6, "conv4": 18.4, "conv5": 10.5}
"""Table V; milliseconds, loads from DRAM among them."""


def test_energy_of_the_chip_by_layer() -> None:
    """What the chip takes without its DRAM: conv2 most. Zeros, which it skips, leave the last layers less."""
    chip = {name: MILLIWATTS[name] * LATENCY[name] for name in ALEXNET}
    assert sum(chip.values()) / sum(LATENCY.values()) == pytest.approx(278, abs=0.5)
    ours = {name: dense(name).total - dense(name).energy["dram"] for name in ALEXNET}
    published, counted = (
        [100 * one / sum(energy.values()) for one in energy.values()] for energy in (chip, ours)
    )
    assert published == pytest.approx([21.6, 37.6, 19.6, 13.5, 7.7], abs=0.06)
    assert counted == pytest.approx([15.6, 33.3, 22.6, 17.1, 11.4], abs=0.06)


def test_all_of_alexnet() -> None:
    published = sum(layer.latency for layer in ALEXNET.values())
    assert published == pytest.approx(103.5)
    assert sum(milliseconds(layer, 4) for layer in ALEXNET.values()) == pytest.approx(90.3, abs=0.05)
    large = [ALEXNET[name] for name in ("conv1", "conv2")]
    assert [round(milliseconds(layer, 4, VECTORS), 1) for layer in large] == [12.8, 28.3]
    assert [round(milliseconds(layer, 4), 1) for layer in large] == [13.9, 33.2]


@pytest.mark.parametrize("name", VGG16)
def test_vgg16_of_three_images(name: str) -> None:
    """Its first ten layers wait for the buffer, whose published accesses take 97 to 100 % of their time."""
    layer = VGG16[name]
    array, buffer = milliseconds(layer, 3), layer.buffer_ms
    if name.startswith("conv5"):
        assert buffer < array
        assert array / layer.latency == pytest.approx(0.855, abs=0.005)
    else:
        assert array < 0.8 * buffer
        assert 0.97 <= buffer / layer.latency <= 1.005


def test_all_of_vgg16() -> None:
    published = sum(layer.latency for layer in VGG16.values())
    assert published == pytest.approx(3755.2, abs=0.2)
    assert sum(milliseconds(layer, 3) for layer in VGG16.values()) == pytest.approx(1370.5, abs=0.5)
    bound = sum(max(milliseconds(layer, 3), layer.buffer_ms) for layer in VGG16.values())
    assert bound / published == pytest.approx(0.972, abs=0.003)
