"""``mercuric bounds`` as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from mercuric.studies.bounds.study import LEFT

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_table_report_and_figures(mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = mercuric("bounds", "custom-cnn", "--images", 2, "--bits", 12, "--out", "bounds", "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    layers = pd.read_csv("bounds/bounds.csv")
    assert summary["bits"] == 12 and summary["weights"] == "random weights, seed 0"
    assert list(layers["layer"]) == [layer["layer"] for layer in summary["layers"]]
    for way in LEFT:
        assert summary["speedup"][way] == pytest.approx(layers["macs"].sum() / layers[way].sum())
    assert summary["speedup"]["adapted"] >= max(1.0, summary["speedup"]["mercury"])
    bounded = ["zero_pruning", "elements", "limitless", "ucnn_6"]
    assert (layers[bounded].le(layers["macs"], axis=0)).all(axis=None)
    assert (layers["rounded_elements"] <= layers["elements"]).all()
    assert (layers["ucnn_6"] <= layers["ucnn_7"]).all() and (layers["ucnn_7"] <= layers["ucnn_8"]).all()
    first = layers.iloc[0]
    assert first["cycles_mercury"] != first["cycles_baseline"]
    page = Path("bounds/report.html").read_text()
    assert "random weights, seed 0" in page and "--images 2 --bits 12" in page
    assert "Fig. 17" in page and "$" not in page.split("<script>")[0].split("</style>")[1]


def test_the_table_names_every_layer(mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = mercuric("bounds", "custom-cnn", "--images", 1)
    assert result.exit_code == 0, result.output
    assert "UCNN 8" in result.stdout and "elements" in result.stdout
    assert (tmp_path / "runs/bounds-custom-cnn-photos-random/report.html").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--accelerator", "eyeris"], "accelerator was 'eyeris', but must be one of 'broadcast-168'"),
        (["--images", 0], "images was 0"),
        (["--weights", "good"], "weights was 'good', but must be random"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[object], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(mercuric("bounds", "custom-cnn", *options))
    assert list(tmp_path.iterdir()) == []
