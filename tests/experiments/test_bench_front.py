"""The front: how every form is judged, and what training in turn says."""

import os
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from mercuric.errors import MercuricError
from mercuric.experiments import bench_front as module
from mercuric.experiments.bench_front import FrontBench, bench_front
from mercuric.experiments.bench_front_training import FrontTraining, bench_front_training
from mercuric.experiments.front_forms import GROUPS, front_forms
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import EdgeMaps, load_edge_maps
from mercuric.zoo.registry import build

FEW = {
    "bits": (30,), "ranks": (0.25,), "errors": (0.2,), "images": 3, "batch": 2, "image_size": 96, "rounds": 1
}  # fmt: skip


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The front of a small network in place of the pretrained one."""

    def small(_size: int, _root: Path | None) -> nn.Module:
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 32, 3, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5))

    monkeypatch.setattr(module, "_imagenet_classifier", small)
    return bench_front(FrontBench(weights="mobilenet-v2-imagenet", **FEW))


def test_every_form_is_judged_against_dense_and_timed(front: pd.DataFrame) -> None:
    assert front["group"].tolist() == list(GROUPS)
    dense, others = front.iloc[0], front.iloc[1:]
    assert dense["error"] == 0 and dense["agreement"] == 1 and dense["speedup"] == 1
    assert (front["ms"] > 0).all() and front["agreement"].between(0, 1).all()
    assert (others["error"] >= 0).all() and others["error"].max() > 0
    bounded = front[front["group"] == "directions + bounded residual"].iloc[0]
    assert bounded["error"] < 0.2


def test_forms_are_of_their_settings() -> None:
    forms = front_forms(bits=(8, 24), ranks=(0.125,), errors=(0.05,), paper=False)
    assert [form.name for form in forms] == [
        "dense",
        "reuse alone, 8 bits",
        "reuse alone, 24 bits",
        "directions alone, 1/8 M",
        "directions + shared residual, 1/8 M",
        "directions by error, at most 0.05",
        "directions + bounded residual, at most 0.05",
        "fast(), 1/8 M",
    ]
    bounded = forms[6].config
    assert bounded is not None and bounded.principal is not None and bounded.principal.max_error == 0.05
    assert [form.name for form in forms if form.chosen] == ["fast(), 1/8 M"]


def test_edge_maps_are_of_the_images_size() -> None:
    edges = EdgeMaps(build("vgg16", 1, 3, 96).get_submodule("features")).eval()
    with torch.no_grad():
        maps = edges(torch.randn(1, 3, 96, 70))
    assert maps.shape == (1, 1, 96, 70) and maps.min() > 0 and maps.max() < 1


@pytest.mark.download
@pytest.mark.skipif(os.environ.get("MERCURIC_TEST_DOWNLOAD") != "1", reason="MERCURIC_TEST_DOWNLOAD is not 1")
def test_hed_finds_the_border_of_a_square(tmp_path: Path) -> None:
    pretrained.fetch("vgg16-hed", tmp_path)
    image = torch.full((1, 3, 224, 224), -100.0)
    image[..., 60:160, 60:160] = 100.0
    with torch.no_grad():
        edges = load_edge_maps(root=tmp_path)(image)[0, 0]
    assert edges[60, 80:140].mean() > 4 * edges[100:120, 100:120].mean()


def test_trainings_take_turns_and_dense_has_shorter_schedules() -> None:
    config = FrontTraining(
        network="custom-cnn", image_size=16, steps=4, batch=8, shorter=(0.5, 1.0), ranks=(0.25,), seeds=(0, 1)
    )
    seen: list[str] = []
    table = bench_front_training(config, lambda _done, _total, what: seen.append(what))
    assert table["steps"].tolist() == [2, 4, 4] * 2
    assert table["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["accuracy"].between(0, 1).all() and (table["seconds"] > 0).all()
    dense, shorter, fast = "dense, 100% of the steps", "dense, 50% of the steps", "fast(), 1/4 M"
    assert seen[:6] == [shorter, dense, fast] * 2
    assert seen[12:16] == [dense, fast] * 2, "the shorter one is done"
    again = bench_front_training(config)
    dense_rows = table["group"] == "dense"
    assert again["accuracy"][dense_rows].equals(table["accuracy"][dense_rows])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"images": 10**6}, "images was 1000000, but must be at most the 98 test images"),
        ({"batch": 10**6}, "batch was 1000000, but must be from 1"),
        ({"bits": (0,)}, "bits was 0"),
        ({"errors": (2.0,)}, "error was 2.0"),
    ],
)
def test_what_can_not_be_judged_is_named(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        bench_front(FrontBench(**{**FEW, **fields}))


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match="mercuric data fetch vgg16-hed"):
        load_edge_maps(root=tmp_path)


def test_a_training_that_can_not_be_is_named() -> None:
    for fields, sentence in (
        ({"network": "vgg12"}, "network was 'vgg12'"),
        ({"batch": 10**6}, "batch was 1000000, but must be at most"),
        ({"seeds": ()}, "seeds was empty"),
    ):
        with pytest.raises(ValueError, match=sentence):
            bench_front_training(FrontTraining(**fields))
    with pytest.raises(MercuricError, match="try a learning rate under 1e"):
        bench_front_training(FrontTraining(network="custom-cnn", image_size=16, batch=8, learning_rate=1e12))
