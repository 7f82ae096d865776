import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from mercuric.errors import MercuricError
from mercuric.studies.similarity import study as module
from mercuric.studies.similarity.config import SimilarityConfig
from mercuric.studies.similarity.folder import read_study
from mercuric.studies.similarity.page import write_page
from mercuric.studies.similarity.table import similarity_table
from mercuric.studies.similarity.training import ADAPTATION_FILE, SCORES_FILE, read_training, write_training

WEIGHTS = "random weights, seed 0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BITS", (8, 32))
        module.similarity_study(SimilarityConfig(model="custom-cnn", images=2, image_size=16), folder)
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "study")


def charts(page: str) -> dict[str, dict[str, object]]:
    found = re.findall(r'<script type="application/json" data-chart="([^"]+)">(.*?)</script>', page)
    return {name: json.loads(content) for name, content in found}


def test_every_picture_names_its_weights(study: Path) -> None:
    page = write_page(study, "mercuric similarity custom-cnn").read_text()
    pictures = charts(page)
    assert list(pictures) == [
        "fig1", "fig9", "fig15a", "fig15a-gradient", "fig15b", "fig15c", "bits", "bits-forward",
        "bits-input_gradient", "fig3-0", "fig3-1", "fig3-2", "fig3-photograph",
    ]  # fmt: skip
    for name, picture in pictures.items():
        title = picture["layout"]["title"]["text"]  # type: ignore[index]
        assert (
            ("no network" in title or "no weights" in title) if name.startswith("fig3") else WEIGHTS in title
        )
    assert "://" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_hitmaps_show_what_the_table_says(study: Path) -> None:
    page = write_page(study, "").read_text()
    data = charts(page)["fig9"]["data"]
    assert isinstance(data, list)
    assert data[0]["source"].startswith("data:image/png;base64,")
    maps = read_study(study).tables["maps"]
    first = maps[(maps["layer"] == "features.0") & (maps["channel"] == 0)]["states"].tolist()
    assert data[1]["z"] == [["HUNZ".index(letter) for letter in row] for row in first]


def test_names_that_look_like_html_are_text(study: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    summary = json.loads((study / "study.json").read_text())
    summary |= {"weights": evil, "model": evil, "data": evil}
    (study / "study.json").write_text(json.dumps(summary))
    for name in ("layers", "bits", "cycles", "channels", "maps"):
        path = study / summary["files"][name]
        path.write_text(path.read_text().replace("features.0", evil))
    assert evil not in write_page(study, evil).read_text()


def test_a_study_without_maps_or_gradients_leaves_their_pictures_out(study: Path) -> None:
    for name in ("layers", "bits", "channels"):
        path = study / module.FILES[name]
        table = pd.read_csv(path)
        table[table["product"] == "forward"].to_csv(path, index=False)
    path = study / module.FILES["maps"]
    path.write_text(path.read_text().splitlines()[0] + "\n")
    names = set(charts(write_page(study, "").read_text()))
    assert names.isdisjoint({"fig9", "fig15a-gradient", "bits-input_gradient"})
    assert {"fig1", "fig15a", "bits-forward"} <= names


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("study.json", None, "study.json is missing: .* is not the folder of a similarity study"),
        ("study.json", "{", "study.json is broken"),
        ("study.json", "{}", "study.json is broken"),
        (module.FILES["layers"], None, "is missing: .* is not a whole study"),
        (module.FILES["layers"], "", "is broken"),
    ],
)
def test_a_missing_or_broken_file_is_named(
    study: Path, file: str, content: str | None, sentence: str
) -> None:
    (study / file).unlink()
    if content is not None:
        (study / file).write_text(content)
    with pytest.raises(MercuricError, match=sentence):
        read_study(study)


def test_the_table_has_a_row_a_layer(study: Path) -> None:
    console = Console(width=120, record=True)
    console.print(similarity_table(read_study(study)))
    text = console.export_text()
    for layer in ("features.0", "features.3", "features.6", "classifier.1", "classifier.3"):
        assert layer in text
    assert WEIGHTS in text


def test_a_run_adds_its_scores_and_adaptation(study: Path, write_run: Callable[..., Path]) -> None:
    run = write_run()
    changes = "seed,step,layer,what,before,after\n0,100,,bits,20,21\n0,150,features.2,off,21,0\n"
    (run / "adaptation.csv").write_text(changes)
    trained = read_training(run)
    assert trained.missing == ()
    assert write_training(trained, study) == [SCORES_FILE, ADAPTATION_FILE]
    scores = pd.read_csv(study / SCORES_FILE)
    summary = json.loads((run / "summary.json").read_text())
    assert scores[scores["run"] == "dense"]["score"].tolist() == summary["dense"]["accuracies"]
    assert scores[scores["run"] == "reuse"]["seed"].tolist() == [0, 1, 2]
    steps = pd.read_csv(study / ADAPTATION_FILE)
    first = steps[steps["seed"] == 0].set_index("step")
    assert first["bits"].loc[[0, 100, 150]].tolist() == [20, 21, 21]
    assert (first["layers_on"] + first["layers_off"]).nunique() == 1
    assert first["layers_on"].loc[100] - first["layers_on"].loc[150] == 1
    pictures = charts(write_page(study, "").read_text())
    added = {"fig13", "fig13-epochs", "fig14a", "fig14a-bits"}
    assert added <= set(pictures)
    for name in added:
        assert "run first-run: vgg13" in pictures[name]["layout"]["title"]["text"]  # type: ignore[index]


def test_what_a_run_lacks_is_said(study: Path, write_run: Callable[..., Path]) -> None:
    run = write_run(kinds=("reuse",))
    trained = read_training(run)
    assert trained.missing == (
        "Fig. 13 shows one kind of training: the run has no dense one (train with --compare).",
        "Fig. 14a is left out: the run has no adaptation.csv.",
    )
    write_training(trained, study)
    page = write_page(study, "").read_text()
    assert all(sentence in page for sentence in trained.missing)
    (run / "summary.json").unlink()
    assert "Fig. 13 is left out: the run has no summary.json." in read_training(run).missing


def test_what_is_no_run_is_refused(tmp_path: Path, write_run: Callable[..., Path]) -> None:
    with pytest.raises(MercuricError, match="no such directory"):
        read_training(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MercuricError, match=r"is not a run.s folder: it has no summary\.json"):
        read_training(tmp_path / "empty")
    run = write_run()
    (run / "summary.json").write_text("[]")
    with pytest.raises(MercuricError, match=r"summary\.json is broken"):
        read_training(run)
