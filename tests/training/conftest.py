from dataclasses import replace

import pytest

from mercuric import data
from mercuric.data import ImageData


@pytest.fixture(scope="session")
def few_photos() -> ImageData:
    """The photographs' crops at 16 pixels: 44 to train on, 21 to test on."""
    photos = data.load("photos", image_size=16)
    train = replace(photos.train, images=photos.train.images[:44], labels=photos.train.labels[:44])
    test = replace(photos.test, images=photos.test.images[:21], labels=photos.test.labels[:21])
    return replace(photos, train=train, test=test)
