"""Do paddings, scalings and shufflings of shared tensors move vectors as PyTorch does?"""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_subjects import Function, Pair, is_shared, same
from torch import nn

SHARED: dict[str, Function] = {
    "zeros": lambda x: F.pad(x, (1, 2, 0, 1)),
    "threes": lambda x: F.pad(x, (1, 2), value=3.0),
    "images": lambda x: F.pad(x, (0, 0, 0, 0, 0, 0, 1, 1)),
    "cut": lambda x: F.pad(x, (-1, -1)),
    "cut and ones": lambda x: F.pad(x, (1, -2, 3, 1), value=1),
    "channels last": lambda x: F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 2, 0)),
    "reflect": lambda x: nn.ReflectionPad2d(1)(x),
    "replicate": lambda x: F.pad(x, (1, 2, 3, 1), mode="replicate"),
    "circular": lambda x: F.pad(x, (1, 2, 3, 1), "circular"),
    "nearest": lambda x: F.interpolate(x, scale_factor=2),
    "of a size": lambda x: F.interpolate(x, size=(7, 3)),
    "nearest-exact": lambda x: F.interpolate(x, scale_factor=(1.7, 0.6), mode="nearest-exact"),
    "recomputed": lambda x: F.interpolate(x, scale_factor=1.3, recompute_scale_factor=True),
    "upsample": lambda x: nn.Upsample(scale_factor=3)(x),
    "signals": lambda x: F.interpolate(x.flatten(2), size=7),
    "roll": lambda x: x.roll((1, 2), (2, 3)),
    "roll channels": lambda x: torch.roll(x, shifts=1, dims=1),
    "flip": lambda x: x.flip(1, -1),
    "repeat": lambda x: x.repeat(1, 2, 1, 3),
    "repeat in front": lambda x: x.repeat(2, 1, 1, 1, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(2, dim=3).repeat_interleave(3, 1),
    "tile": lambda x: torch.tile(x, (2, 1)),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x[:, :4], 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x[..., :4], 2),
    "channel_shuffle": lambda x: F.channel_shuffle(x, 3),
    "fold": lambda x: F.fold(x.flatten(2), (8, 15), (2, 3), stride=(2, 3)),
}
DENSE: dict[str, Function] = {
    "channels padded": lambda x: F.pad(x, (0, 0, 0, 0, 1, 1)),
    "bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "roll of all": lambda x: x.roll(3),
    "repeat of all": lambda x: x.repeat_interleave(2),
    "overlapping fold": lambda x: F.fold(x.flatten(2), (5, 11), (2, 3), stride=(1, 2)),
    "too much reflected": lambda x: F.pad(x, (9, 9), mode="reflect"),
    "no such blocks": lambda x: F.pixel_unshuffle(x, 3),
}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", SHARED)
def test_they_stay_shared(name: str, channels_last: bool) -> None:
    pair = Pair(channels_last=channels_last)
    found = same(SHARED[name], pair)
    assert is_shared(found)
    assert found.stride() == SHARED[name](pair.plain).stride()


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", DENSE)
def test_others_are_dense_or_raise_what_pytorch_raises(name: str, channels_last: bool) -> None:
    assert not is_shared(same(DENSE[name], Pair(channels_last=channels_last)))


PADS = st.lists(st.integers(-2, 3), min_size=4, max_size=4)


@settings(max_examples=60)
@given(PADS, st.sampled_from(["constant", "reflect", "replicate", "circular"]), st.floats(-2, 2))
def test_any_padding(pads: list[int], mode: str, value: float) -> None:
    named: dict[str, Any] = {"value": value} if mode == "constant" else {"mode": mode}
    if mode == "constant" or min(pads) >= 0:
        same(lambda x: F.pad(x, pads, **named), Pair())


@settings(max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["nearest", "nearest-exact"]))
def test_any_size(height: int, width: int, mode: str) -> None:
    assert is_shared(same(lambda x: F.interpolate(x, size=(height, width), mode=mode), Pair()))


@settings(max_examples=40)
@given(
    st.lists(st.integers(-7, 7), min_size=4, max_size=4), st.lists(st.integers(1, 3), min_size=4, max_size=5)
)
def test_any_roll_and_repetition(shifts: list[int], times: list[int]) -> None:
    same(lambda x: x.roll(shifts, (0, 1, 2, 3)).repeat(times), Pair())
