"""The front: how every form is judged."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from mercuric import Directions, ReuseHandle
from mercuric.errors import MercuricError
from mercuric.studies.front import study
from mercuric.studies.front import subject as module
from mercuric.studies.front.forms import GROUPS, front_forms
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import FrontBench, FrontSubject
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import EdgeMaps, load_edge_maps
from mercuric.zoo.registry import build

FEW = {
    "bits": (30,), "ranks": (0.25,), "errors": (0.2,), "output_errors": (0.1,), "calibration": 4,
    "images": 3, "batch": 2, "image_size": 96, "rounds": 1, "peers": False,
}  # fmt: skip


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The front of a small network in place of the pretrained one."""

    def small(_subject: object, _size: int) -> nn.Module:
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 32, 3, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5))

    monkeypatch.setattr(module, "_pretrained", small)
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
    forms = front_forms(bits=(8, 24), ranks=(0.125,), errors=(0.05,), output_errors=(0.02,), paper=False)
    assert [form.name for form in forms] == [
        "dense",
        "reuse alone, 8 bits",
        "reuse alone, 24 bits",
        "directions alone, 1/8 M",
        "directions + shared residual, 1/8 M",
        "directions by error, at most 0.05",
        "directions + bounded residual, at most 0.05",
        "fast(), 1/8 M",
        "directions fitted to the output, at most 0.02",
    ]
    bounded = forms[6].config
    assert isinstance(bounded, Directions) and bounded.max_error == 0.05
    assert [form.group for form in forms if form.chosen] == ["fast()", "directions fitted to the output"]


def test_a_layer_that_is_slower_in_its_rank_keeps_its_trained_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 64, 3, stride=4), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5)).eval()
    batches = [torch.rand(2, 3, 64, 64) for _ in range(2)]
    subject = FrontSubject(network, batches[0], batches, batches, None, True, "small", "small")

    def slower(_model: object, handle: ReuseHandle, *_: object) -> None:
        assert handle.layers["2"].principal.rank  # type: ignore[attr-defined]
        handle.switch_off("2")

    monkeypatch.setattr(study, "keep_faster", slower)
    form = next(one for one in front_forms(output_errors=(0.3,)) if one.output_error)
    made, _ = study._formed(form, subject, FrontBench(weights="mobilenet-v2-imagenet", **FEW), {})
    trained = network.get_submodule("2").weight
    assert torch.equal(made.network.get_submodule("2").weight, trained)  # type: ignore[arg-type]


def test_edge_maps_are_of_the_images_size() -> None:
    edges = EdgeMaps(build("vgg16", 1, 3, 96).get_submodule("features")).eval()
    with torch.no_grad():
        maps = edges(torch.randn(1, 3, 96, 70))
    assert maps.shape == (1, 1, 96, 70) and maps.min() > 0 and maps.max() < 1


@pytest.mark.download
def test_hed_finds_the_border_of_a_square(tmp_path: Path) -> None:
    pretrained.fetch("vgg16-hed", tmp_path)
    image = torch.full((1, 3, 224, 224), -100.0)
    image[..., 60:160, 60:160] = 100.0
    with torch.no_grad():
        edges = load_edge_maps(root=tmp_path)(image)[0, 0]
    assert edges[60, 80:140].mean() > 4 * edges[100:120, 100:120].mean()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"images": 10**6}, "images was 1000000, but must be from 1 to the 98 of photos"),
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
