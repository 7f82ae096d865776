"""The front: how every form is judged, and what training in turn says."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from mercuric import Directions
from mercuric.errors import MercuricError
from mercuric.studies.front import subject as module
from mercuric.studies.front.forms import GROUPS, front_forms
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import FrontBench
from mercuric.studies.front.training import FrontTraining, bench_front_training
from mercuric.studies.front.training_page import training_chart, training_headline
from mercuric.studies.front.verdict import dense_at, over_seeds, verdicts
from mercuric.zoo import pretrained
from mercuric.zoo.edge_maps import EdgeMaps, load_edge_maps
from mercuric.zoo.registry import build

FEW = {
    "bits": (30,), "ranks": (0.25,), "errors": (0.2,), "output_errors": (0.1,), "calibration": 4,
    "images": 3, "batch": 2, "image_size": 96, "rounds": 1,
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


def test_dense_trainings_have_shorter_schedules(tmp_path: Path) -> None:
    config = FrontTraining(
        network="custom-cnn", image_size=16, steps=4, batch=8, shorter=(0.5, 1.0), ranks=(0.25,), seeds=(0, 1)
    )
    table = bench_front_training(config, tmp_path / "one")
    assert table["steps"].tolist() == [2, 4, 4] * 2
    assert table["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["accuracy"].between(0, 1).all() and (table["seconds"] > 0).all()
    again = bench_front_training(config, tmp_path / "another")
    dense_rows = table["group"] == "dense"
    assert again["accuracy"][dense_rows].equals(table["accuracy"][dense_rows])


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


def test_a_training_that_can_not_be_is_named(tmp_path: Path) -> None:
    for fields, sentence in (
        ({"network": "vgg12"}, "network was 'vgg12'"),
        ({"batch": 10**6}, "batch_size was 1000000, but must be at most"),
        ({"steps": 4, "epochs": 1}, "steps was 4, but must be None where epochs are given"),
        ({"train_examples": 10**6}, "train_examples was 1000000"),
        ({"seeds": (1, 1)}, r"seeds was \[1, 1\], but must name each once"),
        ({"seeds": ()}, "seeds was empty"),
    ):
        with pytest.raises(ValueError, match=sentence):
            bench_front_training(FrontTraining(**fields), tmp_path)
    assert not list(tmp_path.iterdir())
    wild = FrontTraining(network="custom-cnn", image_size=16, batch=8, learning_rate=1e12)
    with pytest.raises(MercuricError, match="try a learning_rate under 1e"):
        bench_front_training(wild, tmp_path)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def test_a_killed_front_goes_on_and_seeds_can_be_added(tmp_path: Path) -> None:
    config = FrontTraining(
        network="custom-cnn", image_size=16, epochs=2, train_examples=40, batch=8, shorter=(0.5, 1.0),
        ranks=(0.25,), save_every=2,
    )  # fmt: skip
    whole = bench_front_training(config, tmp_path / "whole")
    assert whole["steps"].tolist() == [5, 10, 10]

    def kill(done: int, _total: int, _what: str) -> None:
        if done == 7:
            raise Killed

    with pytest.raises(Killed):
        bench_front_training(config, tmp_path / "killed", progress=kill)
    rounds: list[int] = []
    more = config.model_copy(update={"seeds": (0, 1)})
    table = bench_front_training(
        more, tmp_path / "killed", resume=True, progress=lambda done, *_: rounds.append(done)
    )
    assert rounds == [7, 8, 9, 10, *range(11, 21)], "trained from the checkpoints after 6 steps"
    assert table["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    dense = whole["group"] == "dense"
    assert table[:3]["accuracy"][dense].equals(whole["accuracy"][dense])
    again: list[int] = []
    assert bench_front_training(
        more, tmp_path / "killed", resume=True, progress=lambda done, *_: again.append(done)
    ).equals(table)
    assert again == [], "what is finished is not trained again"


def test_trainings_of_before_that_had_rounds_are_refused_in_a_sentence(tmp_path: Path) -> None:
    saved = tmp_path / "config.yaml"
    saved.write_text("network: custom-cnn\nrounds: 3\n")
    with pytest.raises(ValueError, match=r"config\.yaml: FrontTraining has no key 'rounds' \(it has: data, "):
        FrontTraining.read(saved)


def test_another_front_in_the_folder_is_named(tmp_path: Path) -> None:
    config = FrontTraining(network="custom-cnn", image_size=16, steps=2, batch=8, shorter=(1.0,), ranks=())
    bench_front_training(config, tmp_path)
    with pytest.raises(MercuricError, match="add --resume to go on"):
        bench_front_training(config, tmp_path)
    with pytest.raises(MercuricError, match="holds another run: steps was 2, now 3"):
        bench_front_training(config.model_copy(update={"steps": 3}), tmp_path, resume=True)


def trained(group: str, seed: int, seconds: float, accuracy: float) -> dict[str, object]:
    return {
        "group": group, "setting": str(accuracy), "form": group if group != "dense" else f"dense {seconds}",
        "seed": seed, "steps": 4, "seconds": seconds, "accuracy": accuracy, "loss": 1.0, "kept": 2,
    }  # fmt: skip


def test_dense_is_interpolated_at_the_same_seconds_seed_by_seed() -> None:
    rows = [
        trained("dense", 0, 10, 0.5), trained("dense", 0, 20, 0.7), trained("fast", 0, 15, 0.65),
        trained("dense", 1, 10, 0.6), trained("dense", 1, 20, 0.8), trained("fast", 1, 25, 0.75),
        trained("short", 0, 5, 0.4), trained("short", 1, 5, 0.4),
    ]  # fmt: skip
    table = over_seeds(pd.DataFrame(rows)).set_index("form")
    fast = table.loc["fast"]
    assert fast["seeds"] == 2 and fast["seconds"] == 20
    assert fast["dense_accuracy"] == pytest.approx((0.6 + 0.8) / 2)
    assert fast["gain"] == pytest.approx((0.05 - 0.05) / 2, abs=1e-12)
    assert fast["gain_spread"] == pytest.approx(0.1 / 2**0.5)
    assert pd.isna(table.loc["short", "gain"]) and pd.isna(table.loc["dense 10", "gain"])
    ahead = over_seeds(pd.DataFrame(rows[:3]))
    assert "ahead of it by 5.00 points (one seed)" in verdicts(ahead)[0]
    unknown = "short: 40.00% in 5 s; not with every seed was a dense schedule as short"
    shortest = ": the shortest took 10 s and reached 55.00%."
    assert verdicts(table.reset_index())[1] == unknown + shortest
    assert verdicts(over_seeds(pd.DataFrame(rows[-2:]))) == [f"{unknown}."]


@pytest.mark.parametrize(
    ("gains", "standing", "headline"),
    [
        (
            (0.02, 0.04),
            "ahead of it by 3.00 points (standard deviation 1.41 over 2 seeds)",
            "1 of 1 training",
        ),
        ((0.03, -0.02), "level with it (+0.50 points, standard deviation 3.54 over 2 seeds)", "0 of 1"),
        ((-0.03, -0.04), "behind it by 3.50 points", "0 of 1 training"),
    ],
)
def test_what_seeds_scatter_more_than_is_level(
    gains: tuple[float, float], standing: str, headline: str
) -> None:
    rows = [
        row
        for seed, gain in enumerate(gains)
        for row in (trained("dense", seed, 10, 0.5), trained("fast", seed, 10, 0.5 + gain))
    ]
    table = over_seeds(pd.DataFrame(rows))
    [sentence] = verdicts(table)
    assert standing in sentence
    assert training_headline(table).startswith(headline)
    assert "by more than the spread over seeds" in training_headline(table)
    assert training_chart(table).layout.yaxis.tickformat == ".1%"


def test_a_training_a_little_shorter_than_any_dense_one_is_held_against_the_shortest() -> None:
    dense = pd.DataFrame([trained("dense", 0, 10, 0.5), trained("dense", 0, 20, 0.7)])
    assert dense_at(dense, 9.0) == 0.5 and pd.isna(dense_at(dense, 8.9))
    assert dense_at(dense, 15) == pytest.approx(0.6) and dense_at(dense, 30) == 0.7
