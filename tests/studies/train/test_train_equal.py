"""Does training with exact reuse give dense training's losses, and is it told as it was?"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from typer.testing import Result

from mercuric import Alike, Equal, data
from mercuric.errors import ArgumentError
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.page import write_page
from mercuric.studies.train.study import compare, rounds
from mercuric.studies.train.ways.known import way_of
from mercuric.training import TrainingRun

Run = Callable[..., Result]
TRAINING = {"batch_size": 4, "checkpoint_every": 2}
CONFIG = RunConfig(
    model="custom-cnn", width=0.25, data="text-pages", image_size=128, train_examples=16,
    runs=("dense", "reuse"), reuse=Equal(most=1), training=TRAINING,
)  # fmt: skip


@pytest.fixture(scope="module")
def pages() -> data.ImageData:
    return data.load("text-pages", image_size=128)


@pytest.fixture(autouse=True)
def few_pages(monkeypatch: pytest.MonkeyPatch, pages: data.ImageData) -> None:
    """Pages that are set once for all tests, and few to test on."""

    class Few:
        def __len__(self) -> int:
            return 8

        def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
            return pages.test.batch(indices, generator)

    few = data.ImageData(pages.name, pages.classes, pages.channels, 128, pages.train, Few())
    monkeypatch.setattr("mercuric.data.load", lambda *_: few)


@pytest.fixture
def threads() -> Iterator[None]:
    """Whatever a test sets, the others have the threads that they had."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def losses(folder: Path, run: str) -> list[float]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if (line["event"], line["run"]) == ("step", run)]


def furthest(left: list[float], right: list[float]) -> float:
    return max(abs(one - other) for one, other in zip(left, right, strict=True))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("model", ["custom-cnn", "resnet18"])
def test_losses_lie_as_near_as_those_of_dense_trainings_on_other_threads(tmp_path: Path, model: str) -> None:
    config = CONFIG.model_copy(update={"model": model})
    torch.set_num_threads(1)
    summary = compare(config, tmp_path / "one")
    torch.set_num_threads(2)
    compare(config.model_copy(update={"runs": ("dense",)}), tmp_path / "two")
    dense, exact = (losses(tmp_path / "one", run) for run in ("dense", "reuse"))
    assert len(dense) == 4
    assert summary["reuse"]["equal"]["loss"]["largest"] == pytest.approx(furthest(dense, exact))
    on_threads = furthest(dense, losses(tmp_path / "two", "dense"))
    assert furthest(dense, exact) <= 4 * on_threads + 1e-5
    assert summary["reuse"]["hit_rate"] > 0.25


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_after_200_steps_too(tmp_path: Path) -> None:
    config = CONFIG.model_copy(
        update={"train_examples": 80, "training": CONFIG.training.model_copy(update={"epochs": 10})}
    )
    torch.set_num_threads(1)
    compare(config, tmp_path / "one")
    torch.set_num_threads(2)
    compare(config.model_copy(update={"runs": ("dense",)}), tmp_path / "two")
    dense, exact = (losses(tmp_path / "one", run) for run in ("dense", "reuse"))
    assert len(dense) == 200
    assert furthest(dense, exact) <= 4 * furthest(dense, losses(tmp_path / "two", "dense")) + 1e-5


def test_a_third_training_is_with_mercury(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"runs": ("dense", "reuse", "mercury"), "mercury": Alike(bits=8)})
    summary = compare(config, tmp_path)
    assert set(summary["seconds"]) == {"dense", "reuse", "mercury"}
    assert summary["mercury"]["bits"] == 8 and "equal" not in summary["mercury"]
    assert "bits" not in summary["reuse"] and summary["speedup"]["paper"] > 0
    exact, mercury = (pd.read_csv(tmp_path / name) for name in ("layers.csv", "mercury.csv"))
    assert (exact["HIT"] + exact["MAU"] + exact["MNU"] == exact["vectors"]).all()
    assert exact["share"].sum() == pytest.approx(1)
    assert summary["reuse"]["hit_rate"] == exact["HIT"].sum() / exact["vectors"].sum()
    assert "cycles_mercury" in mercury and (tmp_path / "adaptation.csv").exists()
    page = write_page(tmp_path, "").read_text(encoding="utf-8")
    assert re.search(r"<h1>With exact reuse custom-cnn at width 0.25.trains .* its losses", page)
    for words in ("Layer by layer, with exact reuse", "Layer by layer, with MERCURY", "MERCURY: hit rate"):
        assert words in page
    assert "MERCURY is left out: its seconds are an emulation" in page
    assert write_page(tmp_path, "").read_text(encoding="utf-8") == page


def test_what_a_layer_computes_is_said_of_training_and_not_of_the_tests_after_it(tmp_path: Path) -> None:
    compare(CONFIG, tmp_path)
    computes = pd.read_csv(tmp_path / "layers.csv").set_index("layer")["computes"]
    assert computes["features.3"] == "classes"
    assert "switched off" not in " ".join(computes)


def test_products_that_no_layer_reuses_are_told_with_their_share() -> None:
    class Rest(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.up = nn.Conv2d(1, 4, 3, padding=1), nn.ConvTranspose2d(4, 4, 3, stride=2)

        def forward(self, images: Tensor) -> Tensor:
            output: Tensor = self.up(self.first(images))
            return output

    model = Rest()
    attached = way_of(Equal(most=1)).attach(model, Equal(most=1), "eyeriss-168")
    model(torch.zeros(2, 1, 32, 32))
    layers = attached.layers().set_index("layer")
    assert layers.loc["first", "HIT"] > 0
    assert layers.loc["up", "vectors"] == 0
    assert (
        layers.loc["up", "computes"]
        == "dense: a transposed convolution whose outputs overlap is not computed by classes"
    )
    assert layers["share"].sum() == pytest.approx(1) and layers.loc["up", "share"] > 0


def test_a_stopped_training_goes_on_to_the_same_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(CONFIG, tmp_path / "whole")
    taken, step = [], TrainingRun._step

    def stopping(self: TrainingRun, *args: Any) -> float:
        if len(taken) == 5:  # the third step of dense training is done, that of exact reuse is not
            raise KeyboardInterrupt
        taken.append(self.name)
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            compare(CONFIG, tmp_path / "stopped")
    assert taken == ["dense", "reuse", "dense", "reuse", "dense"]
    compare(CONFIG, tmp_path / "stopped", resume=True)
    for run in ("dense", "reuse"):
        assert losses(tmp_path / "stopped", run) == losses(tmp_path / "whole", run)
    counted = [pd.read_csv(tmp_path / name / "layers.csv") for name in ("whole", "stopped")]
    assert counted[0]["HIT"].tolist() == counted[1]["HIT"].tolist()


def test_trainings_whose_seconds_are_compared_take_turns() -> None:
    runs = ("dense", "reuse", "mercury")
    assert rounds(CONFIG.model_copy(update={"runs": runs})) == [("dense", "reuse"), ("mercury",)]
    assert rounds(CONFIG.model_copy(update={"reuse": Alike()})) == [("dense",), ("reuse",)]


def test_mercury_stands_beside_another_method() -> None:
    with pytest.raises(ArgumentError, match="must have no mercury where reuse is MERCURY itself"):
        RunConfig(model="custom-cnn", runs=("reuse", "mercury"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--equal", "--fast"), "fast and equal were both given, but a network must compute by one method"),
        (("--levels", 16), "levels was 16, but must be given with --equal"),
        (("--fast", "--most", 0.5), "most was 0.5, but must be given with --equal"),
        (("--equal", "--rank", "8"), "rank was '8', but must be given with --fast"),
        (("--equal", "--levels", 1), "levels was 1, but must be greater than or equal to 2"),
        (("--equal", "--scope", "page"), "scope was 'page', but must be"),
        (("--mercury",), "must have no mercury where reuse is MERCURY itself"),
    ],
)
def test_options_that_contradict_each_other(
    mercuric: Run, refused: Callable[..., str], tmp_path: Path, options: tuple[Any, ...], sentence: str
) -> None:
    out = tmp_path / "run"
    assert sentence in refused(mercuric("train", "custom-cnn", *options, "--out", out))
    assert not out.exists()


def test_options_and_a_file_name_the_same_method(mercuric: Run, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        "{reuse: {method: equal, levels: 8, scope: image, most: 0.5}, training: {batch_size: 8}}"
    )
    options = ("--equal", "--levels", 8, "--scope", "image", "--most", 0.5, "--batch-size", 8)
    for name, given in (("file", ("--config", config)), ("options", options)):
        result = mercuric("train", "custom-cnn", *given, "--out", tmp_path / name, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["reuse"]["equal"]["levels"] == 8
    saved = [RunConfig.read(tmp_path / name / "config.yaml") for name in ("file", "options")]
    assert saved[0] == saved[1] and saved[0].reuse == Equal(levels=8, scope="image", most=0.5)
