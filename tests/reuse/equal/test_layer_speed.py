"""What is measured of a layer, and which layers share a measurement?"""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from mercuric import Equal, reuse_
from mercuric.reuse.equal import speed
from mercuric.reuse.equal.kernels import Window
from mercuric.reuse.geometry import ConvGeometry


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    speed.measured.cache_clear()
    yield
    speed.measured.cache_clear()


def convolutions() -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(4, width, 3, padding=1) for width in (4, 4, 4, 8)))


def step(model: nn.Module) -> None:
    model(torch.zeros(2, 4, 24, 24)).sum().backward()


def test_layers_that_are_alike_share_a_measurement() -> None:
    model = convolutions()
    handle = reuse_(model, Equal())
    step(model)
    assert set(handle.report()["computes"]) == {"classes"}
    # The first needs no gradient of its images; the second and the third are alike.
    assert speed.measured.cache_info().misses == 3
    again = convolutions()
    reuse_(again, Equal())
    step(again)
    assert speed.measured.cache_info().misses == 3


@pytest.mark.parametrize(
    ("change", "measurements"), [({}, 1), ({"backward": True}, 2), ({"format": torch.channels_last}, 2)]
)
def test_what_a_measurement_depends_on(change: dict[str, object], measurements: int) -> None:
    filters = torch.rand(4, 4, 3, 3, requires_grad=True)
    geometry = ConvGeometry("Conv2d", 4, 4, (3, 3), pads=(1, 1, 1, 1))
    fixed = {"format": torch.contiguous_format, "backward": False, "inputs": False}
    for more in ({}, change):
        found = speed.convolution_speed(
            (3, 4, 16, 16), filters, geometry, Window((3, 3), padding=(1, 1, 1, 1)), **{**fixed, **more}
        )
        assert min(found.position, found.row, found.expansion) > 0 and found.table >= 0
    assert filters.grad is None
    assert speed.measured.cache_info().misses == measurements


def test_images_of_many_sizes_share_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    trials: set[speed.Trial] = set()
    monkeypatch.setattr(speed, "measured", trials.add)
    filters, window = torch.empty(8, 4, 3, 3), Window((3, 3))
    geometry = ConvGeometry("Conv2d", 4, 8, (3, 3))
    for side in range(64, 513):
        speed.convolution_speed(
            (1, 4, side, side), filters, geometry, window, torch.channels_last, False, True
        )
    widths = {trial.images[3] for trial in trials}
    assert len(trials) == 13 and widths == {64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512}


@pytest.mark.parametrize(
    ("many", "few", "new", "met"),
    [
        (10.0, 6.0, 4 / 208, 6 - 48 * 4 / 208),
        (3.0, 3.0, 0, 3.0),
        (3.0, 4.0, 0, 4.0),
        (90.0, 1.0, 89 / 208, 0),
    ],
)
def test_new_classes_are_timed_apart_from_met_ones(
    monkeypatch: pytest.MonkeyPatch, many: float, few: float, new: float, met: float
) -> None:
    """Of 256 windows all differ in one map, and 48 in the other."""
    monkeypatch.setattr(speed, "_fastest", lambda *_: [5.0, 4.0, many, few, 2.0])
    geometry = ConvGeometry("Conv2d", 4, 4, (3, 3), pads=(1, 1, 1, 1))
    filters, window = torch.rand(4, 4, 3, 3), Window((3, 3), padding=(1, 1, 1, 1))
    found = speed.convolution_speed(
        (1, 4, 16, 16), filters, geometry, window, torch.contiguous_format, False, False
    )
    assert found.position == 5 / 256 and found.expansion == 2 / 256
    assert found.row == pytest.approx(4 / 128 + new)
    assert found.table == pytest.approx(met / 256)


def test_a_wide_layer_is_measured_on_a_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    trials: list[speed.Trial] = []

    def told(trial: speed.Trial) -> speed.Speed:
        trials.append(trial)
        return speed.Speed(1, 1, 1, 1)

    monkeypatch.setattr(speed, "measured", told)
    filters, window = torch.empty(512, 512, 3, 3), Window((3, 3), padding=(1, 1, 1, 1))
    geometry = ConvGeometry("Conv2d", 512, 512, (3, 3), pads=(1, 1, 1, 1))
    for images in (1, 8):
        shape = (images, 512, 64, 64)
        speed.convolution_speed(shape, filters, geometry, window, torch.channels_last, True, True)
    count, channels, lines, across = trials[0].images
    assert (count, channels, across) == (1, 512, 64) and lines < 32
    assert trials[0] == trials[1], "a larger batch is measured on the same sample"
