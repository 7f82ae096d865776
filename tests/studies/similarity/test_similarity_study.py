import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mercuric import zoo
from mercuric.errors import MercuricError
from mercuric.studies.similarity import study as module
from mercuric.studies.similarity.config import SimilarityConfig
from mercuric.studies.similarity.study import FILES, similarity_study
from mercuric.subjects.config import SubjectConfig
from mercuric.subjects.subject import load_subject


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BITS", (4, 64))
        similarity_study(SimilarityConfig(model="custom-cnn", images=3, image_size=16, bits=12), folder)
    return folder


def table(study: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(study / FILES[name])


def test_the_folder_holds_every_table_and_its_settings(study: Path) -> None:
    files = {"config.yaml", "study.json", "image.png", *FILES.values()}
    assert {path.name for path in study.iterdir()} == files
    summary = json.loads((study / "study.json").read_text())
    assert (summary["weights"], summary["images"], summary["bits"]) == ("random weights, seed 0", 3, 12)
    assert SimilarityConfig.read(study / "config.yaml").bits == 12


def test_longer_signatures_find_fewer_vectors_alike(study: Path) -> None:
    by_bits = table(study, "bits")
    first = by_bits[(by_bits["layer"] == "features.0") & (by_bits["product"] == "forward")]
    assert first["bits"].tolist() == [4, 12, 64]
    misses = (first["MAU"] + first["MNU"]).tolist()
    assert misses == sorted(misses)
    assert misses[0] < misses[-1]


def test_the_layers_are_those_of_the_asked_length(study: Path) -> None:
    layers, by_bits = table(study, "layers"), table(study, "bits")
    same = by_bits[by_bits["bits"] == 12].reset_index(drop=True)
    assert layers["HIT"].tolist() == same["HIT"].tolist()


def test_unique_vectors_are_at_most_all_and_at_least_the_inserted(study: Path) -> None:
    channels, layers = table(study, "channels"), table(study, "layers")
    assert (channels["unique"] <= channels["vectors"]).all()
    first = channels[(channels["layer"] == "features.0") & (channels["product"] == "forward")]
    inserted = layers[(layers["layer"] == "features.0") & (layers["product"] == "forward")]["MAU"].iloc[0]
    assert (first["unique"] * first["scopes"]).sum() >= inserted


def test_the_picture_is_the_image_of_most_contrast(study: Path) -> None:
    subject = load_subject(SubjectConfig(model="custom-cnn", image_size=16), 3)
    contrasts = subject.pixels.float().flatten(1).std(1)
    assert contrasts[subject.most_contrast] == contrasts.max()
    with Image.open(study / "image.png") as picture:
        assert picture.getpixel((3, 5)) == tuple(subject.pixels[subject.most_contrast, :, 5, 3].tolist())


def test_the_same_study_is_written_over_and_another_is_not(study: Path) -> None:
    other = SimilarityConfig(model="custom-cnn", images=2, image_size=16)
    with pytest.raises(MercuricError, match="holds another study already; choose another --out"):
        similarity_study(other, study)
    before = (study / FILES["layers"]).read_text()
    told: list[str] = []

    def stop(done: int, parts: int, what: str) -> None:
        told.append(f"{done} of {parts}: {what}")
        raise KeyboardInterrupt

    same = SimilarityConfig(model="custom-cnn", images=3, image_size=16, bits=12)
    with pytest.raises(KeyboardInterrupt):
        similarity_study(same, study, stop)
    assert told == ["0 of 13: a training step with 8 bits"]
    assert (study / FILES["layers"]).read_text() == before


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model: vgg13\nepochs: 3\n")
    with pytest.raises(MercuricError, match="holds something else already"):
        similarity_study(SimilarityConfig(model="custom-cnn"), tmp_path)


def test_checkpoints_are_named_by_their_run(tmp_path: Path) -> None:
    torch.manual_seed(3)
    weights = zoo.build("custom-cnn", 7, 3, 16).state_dict()
    path = tmp_path / "my-run" / "checkpoints" / "dense-0.safetensors"
    path.parent.mkdir(parents=True)
    save_file({f"model.{name}": tensor for name, tensor in weights.items()}, path)
    subject = load_subject(SubjectConfig(model="custom-cnn", image_size=16, weights=str(path)))
    assert subject.config.shown_weights == "trained weights, my-run/dense-0.safetensors"
    assert torch.equal(subject.network.state_dict()["features.0.weight"], weights["features.0.weight"])
    assert len(subject.images) == 16
