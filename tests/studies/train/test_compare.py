import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from mercuric import ReuseConfig, data
from mercuric.reuse import similarity_rates
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.page import write_page
from mercuric.studies.train.study import compare
from mercuric.training import TrainingRun
from mercuric.training.loop import Standing

CONFIG = RunConfig(model="custom-cnn", runs=("dense", "reuse"), seeds=(0, 7), training={"batch_size": 8})


REUSE = CONFIG.model_copy(update={"runs": ("reuse",), "seeds": (0,)})


@pytest.fixture(scope="module")
def photos() -> data.ImageData:
    return data.load("photos", image_size=16)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, photos: data.ImageData) -> list[list[int]]:
    """Few photographs instead of all; the list gets the indices of every training batch."""
    return few_photographs(monkeypatch, photos)


def few_photographs(monkeypatch: pytest.MonkeyPatch, photos: data.ImageData) -> list[list[int]]:
    test = replace(photos.test, images=photos.test.images[:14], labels=photos.test.labels[:14])
    seen: list[list[int]] = []

    class Watched:
        def __len__(self) -> int:
            return 24

        def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
            if len(indices) == CONFIG.training.batch_size:  # the data's digest reads others
                seen.append(indices.tolist())
            return photos.train.batch(indices, generator)

    few = replace(photos, train=Watched(), test=test)
    monkeypatch.setattr("mercuric.data.load", lambda *_: few)
    return seen


@pytest.fixture(scope="module")
def reused(photos: data.ImageData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of a run with reuse alone, and the layers that it wrote."""
    folder = tmp_path_factory.mktemp("reused")
    with pytest.MonkeyPatch.context() as patch:
        few_photographs(patch, photos)
        summary = compare(REUSE, folder)
    return {"summary": summary, "layers": pd.read_csv(folder / "layers.csv").set_index("layer")}


@pytest.fixture
def first_weights(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, int], dict[str, Tensor]]:
    """The weights that each run starts from."""
    weights = {}
    steps = TrainingRun.steps

    def watched(run: TrainingRun, resume: bool = False) -> Generator[Standing, None, None]:
        weights[run.name, run.seed] = {name: t.clone() for name, t in run.model.state_dict().items()}
        return steps(run, resume)

    monkeypatch.setattr(TrainingRun, "steps", watched)
    return weights


def test_dense_and_reuse_start_from_the_same_weights_and_see_the_same_batches(
    tmp_path: Path, asked: list[list[int]], first_weights: dict[tuple[str, int], dict[str, Tensor]]
) -> None:
    compare(CONFIG, tmp_path / "run")
    dense, reuse, other = (first_weights[key] for key in (("dense", 0), ("reuse", 0), ("dense", 7)))
    assert dense.keys() == reuse.keys()
    assert all(torch.equal(dense[name], reuse[name]) for name in dense)
    assert not torch.equal(dense["features.0.weight"], other["features.0.weight"])
    assert len(asked) == 12
    assert asked[0:3] == asked[3:6] != asked[6:9] == asked[9:12]


def test_the_summary_is_of_the_layers_and_epochs(tmp_path: Path) -> None:
    told: list[tuple[Any, ...]] = []
    summary = compare(CONFIG, tmp_path, progress=lambda *what: told.append(what))
    assert [(bar, done, total) for done, total, _, bar in told] == [
        (f"{run}, seed {seed}", step, 3)
        for seed in (0, 7) for run in ("dense", "reuse") for step in (1, 2, 3)
    ]  # fmt: skip
    layers = pd.read_csv(tmp_path / "layers.csv")
    assert set(layers["seed"]) == {0, 7}
    assert (layers["HIT"] + layers["MAU"] + layers["MNU"] == layers["vectors"]).all()
    for key, value in similarity_rates(layers).items():
        assert summary["reuse"][key] == value
    for part in ("baseline", "mercury", "signature"):
        assert summary["cycles"][part] == pytest.approx(layers[f"cycles_{part}"].sum() / 2, abs=1)
        assert summary["cycles"]["fair"][part] == pytest.approx(layers[f"fair_{part}"].sum() / 2, abs=1)
    logged = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for run in ("dense", "reuse"):
        accuracies = [
            line["test_accuracy"] for line in logged if (line["event"], line["run"]) == ("epoch", run)
        ]
        assert summary[run]["accuracies"] == accuracies
        assert summary[run]["accuracy"] == pytest.approx(sum(accuracies) / 2)
    assert (summary["train_images"], summary["train_images_available"], summary["test_images"]) == (
        24,
        24,
        14,
    )
    assert (summary["metric"], summary["width"]) == ("accuracy", 1)
    for position, (_, seed) in enumerate(layers.groupby("seed")):
        assert summary["reuse"]["final_bits"][position] == dict(zip(seed["layer"], seed["bits"], strict=True))
        assert summary["reuse"]["layers_off"][position] == seed["layer"][~seed["on"]].tolist()
    assert "classifier.3" in summary["reuse"]["layers_off"][1]
    assert len(summary["reuse"]["final_bits"]) == 2


def test_only_training_vectors_are_counted(reused: dict[str, Any]) -> None:
    vectors = reused["layers"]["vectors"]
    assert vectors["features.0"] == 24 * 3 * 16 * 16
    assert vectors["classifier.1"] == 24


def test_a_layer_that_cannot_win_costs_the_baseline(reused: dict[str, Any]) -> None:
    last = reused["layers"].loc["classifier.3"]
    assert not last["on"]
    assert last["vectors"] == last["cycles_signature"] == 0
    assert last["cycles_baseline"] == last["cycles_mercury"] > 0


def test_one_run_has_no_figures_of_the_other(tmp_path: Path, reused: dict[str, Any]) -> None:
    dense = compare(CONFIG.model_copy(update={"runs": ("dense",)}), tmp_path)
    assert {"reuse", "cycles", "speedup"}.isdisjoint(dense)
    assert "dense" not in reused["summary"]
    assert list(reused["summary"]["seconds"]) == ["reuse"]


def test_what_does_not_fit_leaves_the_folder_free(tmp_path: Path) -> None:
    large = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"batch_size": 25})})
    with pytest.raises(ValueError, match="batch_size was 25, but must be at most the 24"):
        compare(large, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fewer_examples_are_the_same_ones_in_every_run_and_seed(
    tmp_path: Path, asked: list[list[int]]
) -> None:
    summary = compare(CONFIG.model_copy(update={"train_examples": 17}), tmp_path)
    assert (summary["train_images"], summary["train_images_available"]) == (17, 24)
    assert len(asked) == 8
    assert len({index for indices in asked for index in indices}) == 17
    assert pd.read_csv(tmp_path / "layers.csv")["vectors"].max() == 16 * 32 * 8 * 8


def test_a_narrower_network(tmp_path: Path, first_weights: dict[tuple[str, int], dict[str, Tensor]]) -> None:
    summary = compare(CONFIG.model_copy(update={"width": 0.5, "seeds": (0,)}), tmp_path)
    shapes = {run: weights["features.3.weight"].shape for (run, _), weights in first_weights.items()}
    assert shapes == {"dense": (32, 16, 3, 3), "reuse": (32, 16, 3, 3)}
    assert summary["width"] == 0.5


def test_bits_that_grew_are_those_at_the_end_and_are_logged(tmp_path: Path) -> None:
    adaptation = {"patience": 1, "tolerance": 0.9, "stoppage": 1}
    config = RunConfig(model="custom-cnn", seeds=(0, 7), training={"batch_size": 8},
                       reuse={"adaptation": adaptation})  # fmt: skip
    summary = compare(config, tmp_path)
    changes = pd.read_csv(tmp_path / "adaptation.csv", keep_default_na=False)
    for seed, bits, off in zip(
        (0, 7), summary["reuse"]["final_bits"], summary["reuse"]["layers_off"], strict=True
    ):
        own = changes[changes["seed"] == seed]
        grown = own[own["what"] == "bits"]
        assert set(bits.values()) == {40 + len(grown)}
        assert grown["layer"].eq("").all()
        assert len(grown) > 0
        turned_off = own[own["what"] == "off"]["layer"].tolist()
        assert turned_off
        assert set(off) == {*turned_off, "classifier.3"}


def test_without_adaptation_nothing_is_logged_of_it(tmp_path: Path) -> None:
    config = RunConfig(model="custom-cnn", training={"batch_size": 8}, reuse={"adaptation": None})
    summary = compare(config, tmp_path)
    assert not (tmp_path / "adaptation.csv").exists()
    assert set(summary["reuse"]["final_bits"][0].values()) == {40}


def test_directions_are_compared_in_seconds_and_count_no_hits(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"reuse": ReuseConfig.fast(0.5)})
    summary = compare(config, tmp_path)
    assert summary["steps"] == 3 and set(summary["seconds"]) == {"dense", "reuse"}
    assert "cycles" not in summary and "hit_rate" not in summary["reuse"] and "bits" not in summary["reuse"]
    directions = summary["reuse"]["directions"]
    assert directions["rank"] == 0.5 and directions["layers"] == 5 and len(directions["kept"]) == 2
    layers = pd.read_csv(tmp_path / "layers.csv")
    assert not {"HIT", "vectors", "bits"} & set(layers) and layers["rank"].max() > 0
    page = write_page(tmp_path, "").read_text(encoding="utf-8")
    assert "In directions custom-cnn trains" in page and "none: no vectors compared" in page
    assert "with MERCURY" not in page and ">MERCURY<" not in page
