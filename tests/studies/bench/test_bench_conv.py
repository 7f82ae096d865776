"""Does the benchmark of convolutions plant what it says, and time every form?"""

import pytest
import torch
from torch import nn

from mercuric import ReuseConfig
from mercuric.reuse import ReuseConv2d
from mercuric.studies.bench.conv import QUICK_SHAPES, bench_conv, planted_images, time_parts
from mercuric.studies.bench.settings import BenchSettings


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0.03), (0.5, 0.49, 0.52), (0.9, 0.87, 0.91)])
def test_as_many_windows_repeat_as_are_planted(share: float, least: float, most: float) -> None:
    config = ReuseConfig(
        bits=60, granularity="patch", projection="separable", magnitude=None, entries=None, scope="batch"
    )
    layer = ReuseConv2d(4, 2, 3, padding=1, reuse=config)
    layer(planted_images(16, 4, 20, share))
    assert least <= layer.reuse.counts.hit / layer.reuse.counts.vectors <= most


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_share(share: float) -> None:
    with pytest.raises(ValueError, match=r"share of duplicates was .* but must be from 0 to below 1"):
        planted_images(2, 1, 4, share)


def test_a_row_a_form_and_pass() -> None:
    table = bench_conv(BenchSettings(rounds=1), QUICK_SHAPES, (0.5,))
    assert table["form"].tolist() == ["dense", "reuse, 20 bits"] * 2
    assert table["pass"].tolist() == ["forward", "forward", "forward + backward", "forward + backward"]
    reuse = table[table["form"] != "dense"]
    assert reuse["hits"].between(0.45, 0.55).all()
    assert (reuse["error"] < 0.2).all()
    assert table["project_ms"].notna().tolist() == [False, True, False, False]


def test_parts_of_a_layer_with_another_kernel_and_stride() -> None:
    layer = nn.Conv2d(3, 4, (2, 3), stride=2, padding=(0, 1))
    parts = time_parts(layer, torch.randn(2, 3, 9, 11), ReuseConfig(bits=5), rounds=1)
    assert list(parts) == [
        f"{name}_ms" for name in ("project", "sign", "table", "gather", "product", "scatter")
    ]
    assert min(parts.values()) > 0
