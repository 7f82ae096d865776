from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from mercuric import data
from mercuric.cli.app import app
from mercuric.data import ImageData

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def few_photos() -> ImageData:
    """The photographs' crops at 16 pixels: 24 to train on, 14 to test on."""
    photos = data.load("photos", image_size=16)
    train = replace(photos.train, images=photos.train.images[:24], labels=photos.train.labels[:24])
    test = replace(photos.test, images=photos.test.images[:14], labels=photos.test.labels[:14])
    return replace(photos, train=train, test=test)


@pytest.fixture
def mercuric(monkeypatch: pytest.MonkeyPatch, few_photos: ImageData) -> Run:
    """The command, in this process, with few photographs; other data sets are as they are."""

    def few(load: Callable[..., Any]) -> Callable[..., Any]:
        def loaded(
            name: str, root: Path | None = None, image_size: int | None = None, **sentences: Any
        ) -> Any:
            asked = name == "photos" and image_size is None
            return few_photos if asked else load(name, root, image_size, **sentences)

        return loaded

    monkeypatch.setattr("mercuric.data.load", few(data.load))
    monkeypatch.setattr("mercuric.data.load_images", few(data.load_images))
    runner = CliRunner(env={"COLUMNS": "120"})
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def refused() -> Callable[..., str]:
    """Checks that a result is one clear sentence and an exit code; returns the sentence."""

    def check(result: Any, code: int = 2) -> str:
        assert result.stdout == ""
        assert result.exit_code == code, result.output
        assert result.stderr.startswith("mercuric: "), result.stderr
        assert result.stderr.endswith("\n")
        assert result.stderr.count("\n") == 1, result.stderr
        return str(result.stderr)

    return check


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory, few_photos: ImageData) -> Path:
    """The same photographs as image files, for commands in a process of their own."""
    root = tmp_path_factory.mktemp("photos")
    for part, split in (("train", few_photos.train), ("test", few_photos.test)):
        for index, (image, label) in enumerate(zip(split.images, split.labels.tolist(), strict=True)):
            folder = root / part / few_photos.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{index}.png")
    return root
