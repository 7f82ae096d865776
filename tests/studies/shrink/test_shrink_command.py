"""``mercuric shrink`` as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from mercuric.studies.shrink.trial import ground

Run = Callable[..., Result]
Refused = Callable[..., str]
TINY = ("custom-cnn", "--width", 0.125, "--train-examples", 16, "--batch-size", 8)
ON = ("--accelerator", "eyeriss-168")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    ground.cache_clear()


def test_table_report_and_figures(mercuric: Run) -> None:
    result = mercuric("shrink", *TINY, "--trials", 4, "--mercury", *ON, "--out", "new")
    assert result.exit_code == 0, result.output
    assert "original" in result.stdout and "uniform 0.7" in result.stdout
    page = Path("new/report.html").read_text()
    assert page.count('class="chart"') == 2 and "front-energy" in page and "one seed (0)" in page
    assert "<dt>Memory</dt>" in page and "GiB" in page and "of one inference with MERCURY, in MAC" in page
    assert "--mercury" in page and "$" not in page.split("<script>")[0].split("</style>")[1]
    again = mercuric("shrink", *TINY, "--trials", 4, "--mercury", *ON, "--out", "new", "--resume", "--json")
    summary = json.loads(again.stdout)
    for trial in summary["trials"]:
        assert 0 < trial["mercury_latency"] <= trial["latency"]
    assert (
        "holds another run: mercury was True, now False"
        in mercuric("shrink", *TINY, "--trials", 4, *ON, "--out", "new", "--resume").stderr
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--accelerator", "eyeris"], "accelerator was 'eyeris', but must be one of 'broadcast-168'"),
        (["--trials", 0], "trials was 0, but must be at least 4"),
        (["--train-examples", 99], "train_examples was 99, but must be from 1 to the 24 there are"),
        (["--batch-size", 20], "batch_size was 20, but must be at most the 16 training examples"),
        (["--epochs", 0], "epochs was 0, but must be"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("shrink", *TINY, *options))
    assert list(tmp_path.iterdir()) == []


def test_networks_train_in_processes(mercuric: Run, photo_folder: Path) -> None:
    result = mercuric(
        "shrink", *TINY, "--trials", 4, "--jobs", 2, "--data", "imagefolder", "--data-root", photo_folder,
        "--image-size", 16, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["trials"]) == 4
