"""Networks and data that are nobody's but the test's, as files in a folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CODE = '''
import torch
from torch import nn


class Two(nn.Module):
    """Reads an image and some facts."""

    def __init__(self, classes=3, width=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.beside = nn.Linear(4, width)
        self.head = nn.Linear(width, classes)

    def forward(self, image, facts):
        return self.head(self.conv(image).relu().mean((2, 3)) + self.beside(facts))


def small(classes, channels, width=4, widths=()):
    layers = [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    for one in widths:
        layers += [nn.Conv2d(width, one, 3, padding=1), nn.ReLU()]
        width = one
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def scores(features=12, classes=2):
    return nn.Sequential(nn.Linear(features, 8), nn.ReLU(), nn.Linear(8, classes))


def failing(depth=1):
    raise ValueError("first line\\nno such depth")


def number():
    return 3


made = small(3, 3)
'''


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: ``own_nets.py``, ``two.npz``, ``flat.npz``, ``images.npz`` and ``pictures``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_nets.py").write_text(CODE, encoding="utf-8")
    random = np.random.default_rng(0)
    images = random.standard_normal((20, 3, 8, 8)).astype(np.float32)
    facts = random.standard_normal((20, 4)).astype(np.float32)
    np.savez(tmp_path / "two.npz", x0=images, x1=facts, y=np.arange(20) % 3)
    flat = random.standard_normal((20, 12)).astype(np.float32)
    np.savez(tmp_path / "flat.npz", x=flat, y=(flat[:, 0] > 0).astype(int))
    np.savez(
        tmp_path / "images.npz", x=random.integers(0, 255, (20, 3, 8, 8), dtype=np.uint8), y=np.arange(20) % 3
    )
    for part, count in (("train", 6), ("test", 2)):
        for label in range(2):
            place = tmp_path / "pictures" / part / f"class-{label}"
            place.mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (12, 12), (100 * label + 10 * index, 50, 30)).save(place / f"{index}.png")
    return tmp_path
