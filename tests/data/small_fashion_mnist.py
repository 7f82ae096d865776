"""Real images in Fashion-MNIST's format, few enough to write in every test."""

import gzip
import subprocess
from functools import cache
from pathlib import Path

import pytest
import torch

from mercuric import data
from mercuric.data import fashion_mnist
from mercuric.data.idx import IdxFile

TRAIN = (IdxFile("train-images-idx3-ubyte", (70, 28, 28)), IdxFile("train-labels-idx1-ubyte", (70,)))
TEST = (IdxFile("t10k-images-idx3-ubyte", (14, 28, 28)), IdxFile("t10k-labels-idx1-ubyte", (14,)))


def expect_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "TRAIN", TRAIN)
    monkeypatch.setattr(fashion_mnist, "TEST", TEST)
    monkeypatch.setattr(fashion_mnist, "FILES", (*TRAIN, *TEST))


@cache
def contents() -> dict[str, bytes]:
    """Each file's bytes: the green channel of photographs."""
    photos = data.load("photos", image_size=28)
    made = {}
    for (images, labels), split in ((TRAIN, photos.train), (TEST, photos.test)):
        count = images.shape[0]
        made[images.name] = images.header + split.images[:count, 1].numpy().tobytes()
        made[labels.name] = labels.header + split.labels[:count].to(torch.uint8).numpy().tobytes()
    return made


def write(root: Path) -> None:
    folder = fashion_mnist.folder(root)
    folder.mkdir(parents=True)
    for name, content in contents().items():
        (folder / name).write_bytes(content)


def write_package(folder: Path, files: dict[str, bytes]) -> Path:
    """A Debian package that holds ``files``, made by dpkg-deb."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {fashion_mnist.PACKAGE}\nVersion: 1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: test\n"
    )
    inside = tree / "usr" / "share" / "datasets"
    inside.mkdir(parents=True)
    for name, content in files.items():
        (inside / name).write_bytes(content)
    package = folder / "package.deb"
    subprocess.run(["dpkg-deb", "--build", str(tree), str(package)], check=True, capture_output=True)
    return package


def gzipped(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
