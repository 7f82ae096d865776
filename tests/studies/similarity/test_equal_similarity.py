"""Which regions are computed once: the study's files, its page, and what observers of layers are told."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import Result

from mercuric.studies.similarity.equal.class_map import COMPUTED, overlaid
from mercuric.studies.similarity.equal.config import EqualSimilarityConfig
from mercuric.studies.similarity.equal.study import equal_layers

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_the_map_shows_the_first_of_each_class() -> None:
    images = torch.zeros(1, 1, 6, 6)
    images[..., 2, 3] = 1
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 3, bias=False))
    config = EqualSimilarityConfig(model="custom-cnn", data="photos")
    layers, maps = equal_layers(network.eval(), images, config, 0)
    assert layers["classes"].tolist() == [2, 10] and layers["vectors"].tolist() == [36, 16]
    assert layers["macs"].tolist() == [72, 16 * 36] and layers["macs_computed"].tolist() == [4, 360]
    assert np.argwhere(maps["0"]).tolist() == [[0, 0], [2, 3]]
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[:3, 1:4] = True  # windows that see the pixel
    expected[0, 0] = True  # the first that does not
    assert maps["2"].tolist() == expected.tolist()


def test_copies_of_an_earlier_image_are_not_computed() -> None:
    images = torch.rand(1, 1, 5, 5).expand(2, -1, -1, -1).clone()
    images[0, 0, :3] = 0
    images[1] = images[0]
    network = nn.Sequential(nn.Conv2d(1, 2, 3)).eval()
    config = EqualSimilarityConfig(model="custom-cnn", data="photos")
    assert not equal_layers(network, images, config, 1)[1]["0"].any()
    network = nn.Sequential(nn.Conv2d(1, 2, 3)).eval()
    alone = config.model_copy(update={"scope": "image"})
    assert equal_layers(network, images, alone, 1)[1]["0"].any()


def test_a_picture_is_coloured_where_vectors_are_computed(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 255, np.uint8)).save(tmp_path / "image.png")
    Image.fromarray(np.array([[True, False], [False, False]])).save(tmp_path / "map.png")
    source = overlaid(tmp_path / "image.png", tmp_path / "map.png")
    (tmp_path / "drawn.png").write_bytes(base64.b64decode(source.partition(",")[2]))
    drawn = np.asarray(Image.open(tmp_path / "drawn.png"))
    half = len(drawn) // 2
    assert np.unique(drawn[half:].reshape(-1, 3), axis=0).tolist() == [[255, 255, 255]]
    [inked] = np.unique(drawn[:half, :half].reshape(-1, 3), axis=0)
    assert inked[2] > inked[0] and abs(int(inked[0]) - COMPUTED[0]) < 100


def test_the_page_is_made_again_from_the_folder(mercuric: Run, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    command = ("similarity", "custom-cnn", "--equal", "--data", "photos", "--levels", "2", "--out", folder)
    result = mercuric(*command, "--json")
    assert result.exit_code == 0, result.output
    figures, layers = json.loads(result.stdout), pd.read_csv(folder / "layers.csv")
    assert [layer["layer"] for layer in figures["layers"]] == layers["layer"].tolist()
    needed = (layers["macs"] * layers["computed"]).sum() / layers["macs"].sum()
    assert figures["macs_computed"] == pytest.approx(needed, rel=1e-3) and needed < 1
    page = (folder / "report.html").read_bytes()
    assert page.count(b'<img src="data:image/png;base64,') == 1 + len(list((folder / "maps").iterdir()))
    (folder / "report.html").unlink()
    assert mercuric("report", folder).exit_code == 0
    assert (folder / "report.html").read_bytes() == page
    other = mercuric("similarity", "custom-cnn", "--equal", "--data", "photos", "--out", folder)
    assert other.exit_code == 2 and "holds another study already" in other.stderr


def test_photographs_have_nothing_to_share(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("similarity", "restoration", "--equal", "--data", "photos", "--out", tmp_path / "study")
    assert result.exit_code == 0, result.output
    assert "restoration has nothing to share on photos" in (tmp_path / "study" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--levels", 1], "levels was 1, but must be greater than or equal to 2"),
        (["--images", 0], "images was 0, but must be from 1 to the"),
        (["--data", "letters"], "data was 'letters', but must be one of"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    result = mercuric("similarity", "custom-cnn", "--equal", "--data", "photos", "--out", tmp_path, *options)
    assert sentence in refused(result)
