import dataclasses

import pytest

from mercuric import data
from mercuric.subjects.loaded_network import NetworkConfig, load_network
from mercuric.subjects.weighted_network import classes_for


@pytest.mark.parametrize(
    ("weights", "name", "size", "classes"),
    [
        ("random", "photos", 224, 1000),
        ("mobilenet-v2-imagenet", "photos", 224, 1000),
        ("random", "photos", 32, 7),
        ("random", "own", 224, 7),
        ("run/checkpoints/last.pt", "photos", 224, 7),
    ],
)
def test_imagenets_classes_where_no_data_fix_the_number(
    weights: str, name: str, size: int, classes: int
) -> None:
    photos = dataclasses.replace(data.load_images("photos", None, size), name=name)
    assert classes_for(weights, photos) == classes


def test_a_random_network_for_large_images_has_them() -> None:
    loaded = load_network(NetworkConfig(model="squeezenet-1.0", images=1, image_size=224))
    assert loaded.network.get_submodule("classifier.1").out_channels == 1000


def test_batches_run_as_often_as_one_likes() -> None:
    loaded = load_network(NetworkConfig(model="custom-cnn", images=3, batch=2))
    batches = loaded.batches(lambda *_: None)
    assert [len(list(batches)), len(list(batches))] == [2, 2]
