"""Does ``mercuric evaluate-accuracy`` say how often a trained network is right?"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.reuse import ReuseConfig, reuse_
from mercuric.training import load_weights

Run = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture
def checkpoint(mercuric: Run, tmp_path: Path) -> Path:
    """A network of half the width, trained for a moment."""
    out = tmp_path / "run"
    done = mercuric("train", "custom-cnn", "--width", 0.5, "--epochs", 3, "--batch-size", 6, "--out", out)
    assert done.exit_code == 0, done.output
    return out / "checkpoints" / "reuse-0.safetensors"


def by_hand(checkpoint: Path, images: ImageData, chosen: list[int], config: ReuseConfig) -> list[list[float]]:
    """Top-1 and top-5 with reuse and without, of batches of 8."""
    network = zoo.build("custom-cnn", len(images.classes), images.channels, images.image_size, 0.5).eval()
    load_weights(checkpoint, network)
    handle, found = reuse_(network, config), []
    for on in (True, False):
        (handle.switch_on if on else handle.switch_off)()
        first = among = 0
        for indices in torch.split(torch.tensor(chosen), 8):
            inputs, labels = images.test.batch(indices)
            with torch.no_grad():
                order = network(inputs).argsort(1, descending=True)
            first += int((order[:, 0] == labels).sum())
            among += int((order[:, :5] == labels[:, None]).sum())
        found.append([first / len(chosen), among / len(chosen)])
    return found


def test_figures_log_and_table(
    mercuric: Run, checkpoint: Path, few_photos: ImageData, tmp_path: Path
) -> None:
    command = ("evaluate-accuracy", "custom-cnn", "--weights", checkpoint, "--width", 0.5)
    log = tmp_path / "log"
    done = mercuric(
        *command, "--set", "bits=3", "--set", "magnitude=null", "--images", 10, "--log", log, "--json"
    )
    assert done.exit_code == 0, done.output
    found, lines = json.loads(done.stdout), log.read_text().splitlines()
    chosen = json.loads(lines[1].removeprefix("Selected Images: "))
    assert len(set(chosen)) == 10
    expected = by_hand(checkpoint, few_photos, chosen, ReuseConfig(bits=3, magnitude=None))
    assert [list(found[form].values()) for form in ("with_reuse", "without")] == expected
    assert lines[0] == "Using Device: cpu"
    assert lines[2] == "Length of test loader: 2"
    batches = [re.fullmatch(
        r"Batch (\d)/2: accuracy [\d.]+%, without reuse [\d.]+%, hits (\d+) of (\d+) \([\d.]+%\)", line
    ) for line in lines[3:5]]  # fmt: skip
    assert all(batches)
    assert found["hit_rate"] == int(batches[1][2]) / int(batches[1][3]) > 0  # type: ignore[index]
    assert lines[5] == f"Model accuracy on photos test dataset: {100 * expected[0][0]:.2f}%"
    assert len(lines) == 7
    shown = mercuric(*command)
    assert shown.exit_code == 0, shown.output
    assert all(word in shown.stdout for word in ("top-1", "top-5", "with reuse", "without", "40 bits"))


def test_five_classes_or_fewer_have_no_top_five(mercuric: Run, photo_folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        for place in sorted((photo_folder / part).iterdir())[:3]:
            shutil.copytree(place, tmp_path / part / place.name)
    options = ("--data", "imagefolder", "--data-root", tmp_path, "--image-size", 16, "--json")
    done = mercuric("evaluate-accuracy", "custom-cnn", "--weights", "random", *options)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["classes"] == 3
    assert list(found["without"]) == ["top1"]


@pytest.mark.parametrize(("options", "sentence"), [
    (("--images", 0), "images was 0"),
    (("--images", 15), "images was 15, but must be from 1 to the 14 test images of photos"),
    (("--set", "bits="), "set was 'bits=', but must be FIELD=VALUE"),
    (("--set", "bits=x"), "bits was 'x'"),
    (("--set", "nonsense=1"), "has no key 'nonsense'"),
    (("--set", "method=directions"), "the reuse configuration was a Directions"),
    (("--width", 1), "is of another network"),
    (("--batch", 0), "batch was 0"),
])  # fmt: skip
def test_mistakes(
    mercuric: Run, refused: Refused, checkpoint: Path, options: tuple[Any, ...], sentence: str
) -> None:
    command = ("evaluate-accuracy", "custom-cnn", "--weights", checkpoint, "--width", 0.5)
    assert sentence in refused(mercuric(*command, *options))


def test_wrong_names(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    assert "model was 'transformer'" in refused(
        mercuric("evaluate-accuracy", "transformer", "--weights", tmp_path)
    )
    assert "is a folder" in refused(mercuric("evaluate-accuracy", "custom-cnn", "--weights", tmp_path))
