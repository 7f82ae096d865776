import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def figures(mercuric: Run) -> Callable[..., dict[str, Any]]:
    def run(*arguments: object) -> dict[str, Any]:
        result = mercuric("simulate", *arguments, "--json")
        assert result.exit_code == 0, result.output
        parsed: dict[str, Any] = json.loads(result.stdout)
        return parsed

    return run


Figures = Callable[..., dict[str, Any]]


def test_saved_hitmaps_give_the_same_figures(figures: Figures, mercuric: Run, tmp_path: Path) -> None:
    path, folder = tmp_path / "run.parquet", tmp_path / "csv"
    common = ("custom-cnn", "--images", 3, "--batch", 1)
    run = figures(*common, "--save-hitmaps", path)
    assert mercuric("hitmap", *common, "--out", folder).exit_code == 0
    for saved in (path, folder):
        again = figures("--hitmaps", saved)
        assert again.pop("hitmaps") == str(saved)
        assert again == run
        named = figures("custom-cnn", "--hitmaps", saved, "--inference", "--accelerator", "weight-168")
        assert named["products"] == "forward"
        assert named["cycles"]["accelerator"] == "weight-168"


def test_batches_add_up(figures: Figures) -> None:
    one, two = (figures("custom-cnn", "--images", images, "--batch", 2) for images in (2, 4))
    assert (one["batch"], two["batch"]) == (2, 2)
    for layer, both in zip(one["layers"], two["layers"], strict=True):
        assert both["vectors"] == 2 * layer["vectors"]
        assert both["cycles_baseline"] == 2 * layer["cycles_baseline"]
    assert figures("custom-cnn", "--images", 3)["batch"] == 3


def test_fields_are_set(figures: Figures) -> None:
    plain = figures("custom-cnn", "--images", 1)
    changed = figures("custom-cnn", "--images", 1, "--set", "rows=6", "--set", "timing=fair")
    assert changed["cycles"]["accelerator"] == "eyeriss-168 with rows=6, timing=fair"
    assert changed["cycles"]["timing"] == "fair"
    assert changed["cycles"]["fair"]["baseline"] > plain["cycles"]["fair"]["baseline"]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("rows", "set was 'rows', but must be FIELD=VALUE, as design=asynchronous"),
        ("rows=", "set was 'rows=', but must have a value (null for none): is a variable empty?"),
        ("=3", "set was '=3', but must be FIELD=VALUE"),
        ("row=6", "Accelerator has no key 'row' (it has: name, dataflow, rows"),
        ("rows=six", "rows was 'six', but must be a valid integer"),
        ("rows=0", "rows of accelerator 'eyeriss-168 with rows=0' was 0, but must be at least 1"),
        ("design=fast", "design was 'fast', but must be 'synchronous' or 'asynchronous'"),
        ("rows=[1", "set was 'rows=[1', but must be a plain YAML value after the ="),
        ("entries=", "set was 'entries=', but must have a value (null for none): is a variable empty?"),
        ("entries=24", "entries of accelerator 'eyeriss-168 with entries=24' was 24, but must be a multiple"),
    ],
)
def test_a_wrong_setting(mercuric: Run, refused: Refused, setting: str, sentence: str) -> None:
    assert sentence in refused(mercuric("simulate", "custom-cnn", "--set", setting))


@pytest.fixture
def saved(mercuric: Run, tmp_path: Path) -> Path:
    path = tmp_path / "run.parquet"
    assert mercuric("simulate", "custom-cnn", "--images", 1, "--save-hitmaps", path).exit_code == 0
    return path


def test_hitmaps_of_another_run(mercuric: Run, refused: Refused, saved: Path, tmp_path: Path) -> None:
    sentence = refused(mercuric("simulate", "vgg13", "--hitmaps", saved))
    assert "holds Hitmaps of another run: model was custom-cnn, but must be vgg13" in sentence
    config = tmp_path / "reuse.yaml"
    config.write_text("bits: 12\n")
    sentence = refused(mercuric("simulate", "--hitmaps", saved, "--config", config))
    assert "holds Hitmaps of another run: bits was 20, but must be 12" in sentence


def test_broken_files(mercuric: Run, refused: Refused, saved: Path, tmp_path: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    assert "can't be read as a Parquet file of Hitmaps" in refused(mercuric("simulate", "--hitmaps", saved))
    assert "there are no Hitmaps at" in refused(mercuric("simulate", "--hitmaps", tmp_path / "none"))
    assert "is no folder of mercuric hitmap" in refused(mercuric("simulate", "--hitmaps", tmp_path))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "model was not given, but a network, --hitmaps or --topology must be"),
        (["--hitmaps", "a.parquet", "--images", 2], "images was given, but no network runs with --hitmaps"),
        (["--hitmaps", "a", "--save-hitmaps", "b"], "save_hitmaps was given, but no network runs with"),
        (["custom-cnn", "--batch", 0], "batch was 0, but must be at least 1"),
        (["custom-cnn", "--hit-rate", 0.5], "hit_rate was 0.5, but elsewhere than in a topology HITs are"),
        (["custom-cnn", "--topology", "a.csv"], "model was 'custom-cnn', but with a topology it must not be"),
        (["custom-cnn", "--engine", "scalesim"], "dataflow of accelerator 'eyeriss-168' was 'row'"),
        (["custom-cnn", "--weights", "vgg16-hed"], "weights was vgg16-hed, but these fit vgg16"),
        (["custom-cnn", "--images", 1, "--set", "arrival=interleaved", "--save-hitmaps", "a.parquet"],
         "arrival=interleaved' was 'interleaved', but must be 'raster' for Hitmaps"),
    ],
)  # fmt: skip
def test_options_that_contradict(
    mercuric: Run, refused: Refused, options: list[object], sentence: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(mercuric("simulate", *options))
    assert not list(tmp_path.iterdir())
