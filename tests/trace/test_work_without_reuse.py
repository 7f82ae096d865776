"""Every product of a network has a row or a name, as PyTorch counts them."""

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import mercuric
import mercuric.torchvision_operators
from mercuric.accelerator.count.simulation import simulate_batches, simulate_saved
from mercuric.reuse.vectors import VectorShape
from mercuric.trace import product_shapes
from mercuric.trace.coverage import without_reuse
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolderWriter
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.workload import Workload, read_network

import timm  # isort: skip
import torchvision  # isort: skip


def pytorch_macs(model: nn.Module, x: Tensor) -> int:
    """PyTorch's count; it sees attention only where it is made of products, not fused."""
    with FlopCounterMode(display=False) as counter, torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        model.eval()(x)
    return counter.get_total_flops() // 2


class Up(nn.Module):
    """A transposed convolution that no layer of PyTorch's makes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(16, 4, 2, 2)), nn.Parameter(torch.randn(8))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.weight, self.bias, 2, groups=2)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1)
        self.b = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up = Up()
        self.c = nn.Conv2d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.up(self.b(self.a(x))))  # type: ignore[no-any-return]


class Mixed(nn.Module):
    """A convolution without a layer, one of one dimension, and a weight read past its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3)
        self.w = nn.Parameter(torch.randn(8, 4, 3, 3))
        self.b = nn.ConvTranspose1d(8, 6, 3, stride=2)
        self.past = nn.Linear(5, 7)

    def forward(self, x: Tensor) -> Tensor:
        y = self.b(F.conv2d(self.a(x), self.w, groups=2).flatten(2))
        return F.linear(y[..., :5], self.past.weight)


class Video(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv3d(3, 4, (2, 3, 3)), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(torch.stack([x, x, x], 2)).mean((2, 3, 4)))  # type: ignore[no-any-return]


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 6, 2, bidirectional=True, batch_first=True), nn.Linear(12, 30)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x.mean(1)[..., :8])[0])  # type: ignore[no-any-return]


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "transposed": (UNet, 12),
    "functional": (Mixed, 12),
    "three dimensions": (Video, 8),
    "swin": (lambda: timm.create_model("swin_tiny_patch4_window7_224", img_size=56, window_size=7), 56),
    "beit": (
        lambda: timm.create_model("beit_base_patch16_224", img_size=32, embed_dim=48, depth=2, num_heads=4),
        32,
    ),
    "vit": (lambda: torchvision.models.VisionTransformer(32, 16, 2, 2, 16, 32), 32),
    "timm vit": (lambda: timm.create_model("test_vit"), 160),
    "convnext": (lambda: timm.create_model("test_convnext"), 64),
    "mobilenet": (lambda: torchvision.models.mobilenet_v3_small(), 48),
    "shufflenet": (lambda: torchvision.models.shufflenet_v2_x0_5(), 48),
    "weight-standardised": (lambda: timm.create_model("resnetv2_50", layers=(1, 1, 1, 1)), 32),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_and_named_operations_are_all_that_pytorch_counts(name: str) -> None:
    torch.manual_seed(0)
    make, size = NETWORKS[name]
    model, x = make(), torch.randn(2, 3, size, size)
    calls: list[LayerCall] = []
    result = simulate_batches(model, [x], listeners=[calls.append])
    assert result.coverage is not None
    assert result.coverage["left_out"] == []
    assert sum(call.work.shape.macs for call in calls) == result.coverage["macs"] == pytorch_macs(model, x)
    dense = {one["layer"] for one in result.coverage["dense"]}
    rows = result.layers.set_index("layer")
    assert dense == set(rows.index[rows["kind"] == "dense"])
    for prefix in ("cycles", "fair"):
        assert rows.loc[list(dense), f"{prefix}_baseline"].equals(rows.loc[list(dense), f"{prefix}_mercury"])
        assert (rows[f"{prefix}_baseline"] > 0).all()


FAMILIES = [
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "maxvit_t"),
    *("mnasnet0_5", "mobilenet_v2", "resnext50_32x4d", "squeezenet1_1", "swin_v2_t", "vgg11", "vit_b_32"),
    *("timm/deit_tiny_patch16_224", "timm/edgenext_xx_small", "timm/efficientvit_b0", "timm/gmlp_s16_224"),
    *("timm/levit_128s", "timm/mixer_s32_224", "timm/nf_regnet_b0", "timm/poolformer_s12"),
    *("timm/pvt_v2_b0", "timm/resmlp_12_224", "timm/xcit_nano_12_p16_224"),
]


def on_meta(name: str) -> tuple[nn.Module, Tensor]:
    with torch.device("meta"):
        if name.startswith("timm/"):
            return timm.create_model(name.removeprefix("timm/")), torch.empty(1, 3, 224, 224)
        more: dict[str, Any] = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        size = 299 if name == "inception_v3" else 224
        model = torchvision.models.get_model(name, weights=None, **more)
        return model, torch.empty(1, 3, size, size)


def assert_all_is_read(name: str) -> None:
    model, x = on_meta(name)
    work = read_network(model, x)
    read = sum(one.macs for one in work.workloads) + sum(one.macs for one in work.unknown)
    assert read == pytorch_macs(model, x)


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_read_whole(name: str) -> None:
    assert_all_is_read(name)


def one_of_each_family() -> list[str]:
    families: dict[str, str] = {}
    for name in timm.list_models():
        families.setdefault(timm.models.model_entrypoint(name).__module__, f"timm/{name}")
    return [*families.values(), *torchvision.models.list_models(module=torchvision.models)]


WITHOUT_VALUES = ("cait", "naflexvit", "pit_", "regnet_")
"""Networks that PyTorch can't build, or its counter run, without values."""


@pytest.mark.skipif("MERCURIC_TEST_SLOW" not in os.environ, reason="minutes; set MERCURIC_TEST_SLOW=1")
@pytest.mark.parametrize("name", one_of_each_family())
def test_every_family_is_read_whole(name: str) -> None:
    if name.removeprefix("timm/").startswith(WITHOUT_VALUES):
        pytest.skip("needs values")
    assert_all_is_read(name)


def test_rows_are_named_by_the_module_whose_weight_is_read() -> None:
    rows = mercuric.simulate(Mixed(), torch.randn(1, 3, 12, 12)).layers
    assert dict(zip(rows["layer"], rows["kind"], strict=True)) == {
        "a": "conv", "Mixed": "dense", "b": "dense", "past": "dense",
    }  # fmt: skip


def test_a_recurrent_layer_is_counted_by_its_matrices() -> None:
    result = mercuric.simulate(Recurrent(), torch.randn(2, 3, 5, 9))
    first = 2 * 5 * 24 * (8 + 6)  # two images of five steps; four gates of six
    second = 2 * 5 * 24 * (12 + 6)
    assert result.coverage is not None
    assert [(one["layer"], one["macs"]) for one in result.coverage["dense"]] == [
        ("lstm", 2 * (first + second))
    ]


def test_what_has_no_known_form_is_named_with_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {name: form for name, form in product_shapes._FORMS.items() if "convolution" not in str(name)}
    monkeypatch.setattr(product_shapes, "_FORMS", forms)
    with pytest.warns(
        UserWarning, match=r"^10\.8% of the network's .* left out, .*: convolution in up \(10\.8%\)$"
    ):
        result = mercuric.simulate(UNet(), torch.randn(1, 3, 12, 12))
    assert result.coverage is not None
    assert [one["layer"] for one in result.coverage["left_out"]] == ["up"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mercuric.simulate(nn.Sequential(nn.Conv2d(3, 4, 3)), torch.randn(1, 3, 12, 12))


@pytest.mark.parametrize("form", ["parquet", "folder"])
def test_saved_hitmaps_count_the_dense_rows_of_every_batch(form: str, tmp_path: Any) -> None:
    model, batches = UNet(), [torch.randn(count, 3, 12, 12) for count in (2, 1)]
    about = HitmapAbout({}, mercuric.ReuseConfig.paper())
    path = tmp_path / form
    with (HitmapWriter if form == "parquet" else HitmapFolderWriter)(path, about) as writer:
        result = simulate_batches(model, batches, listeners=[writer.add])
        writer.finish(result.layers, result.run)
    again = simulate_saved(path)
    assert again.layers.equals(result.layers)
    assert again.summary() == result.summary()


def test_products_of_a_reuse_layer_beside_its_own_stay_dense() -> None:
    shape = VectorShape(1, 2, 1, 3, 4)
    own, beside = (Workload("x", kind, shape, True, 6, 3, "bmm") for kind in ("attention", "linear"))
    assert without_reuse([beside, own], {"x": shape.macs}) == [
        Workload("x: bmm", "linear", shape, True, 6, 3, "bmm")
    ]
    assert without_reuse([own], {}) == [own]
