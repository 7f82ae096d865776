import dataclasses
from pathlib import Path

import pytest
import torch
from PIL import Image

from mercuric import data
from mercuric.subjects.config import ExamplesConfig, SubjectConfig
from mercuric.subjects.layer_inputs import zoo_subject
from mercuric.subjects.network import classes_of
from mercuric.subjects.subject import load_images, load_subject


@pytest.mark.parametrize(
    ("weights", "name", "size", "classes"),
    [
        ("random", "photos", 224, 1000),
        ("mobilenet-v2-imagenet", "photos", 224, 1000),
        ("random", "photos", 32, None),
        ("random", "own", 224, None),
        ("run/checkpoints/last.pt", "photos", 224, None),
    ],
)
def test_imagenets_classes_where_no_data_fix_the_number(
    weights: str, name: str, size: int, classes: int | None
) -> None:
    photos = dataclasses.replace(data.load_images("photos", None, size), name=name)
    assert classes_of(SubjectConfig(model="mobilenet-v2", weights=weights), photos) == classes


def test_a_random_network_for_large_images_has_them() -> None:
    subject = load_subject(SubjectConfig(model="squeezenet-1.0", image_size=224), 1)
    assert subject.network.get_submodule("classifier.1").out_channels == 1000
    network, batch = subject.shapes(5)
    assert batch.shape == (5, 3, 224, 224) and batch.is_meta
    assert network.state_dict().keys() == subject.network.state_dict().keys()


def test_batches_run_as_often_as_one_likes() -> None:
    subject = load_subject(SubjectConfig(model="custom-cnn"), 3, 2)
    told: list[tuple[int, int]] = []
    batches = subject.batches(lambda done, total: told.append((done, total)))
    assert [len(list(batches)), len(list(batches))] == [2, 2]
    assert told == [(0, 3), (2, 3), (3, 3)] * 2
    assert torch.equal(torch.cat(list(batches)), subject.images)
    assert subject.described == {
        "model": "custom-cnn", "form": "cifar", "data": "photos", "images": 3, "image_size": 32, "batch": 2,
        "weights": "random, seed 0",
    }  # fmt: skip


def test_how_many_where_nobody_says() -> None:
    small = load_subject(SubjectConfig(model="custom-cnn"))
    large = load_subject(SubjectConfig(model="custom-cnn", image_size=80))
    assert (len(small.places), small.batch) == (16, 16)
    assert (len(large.places), large.batch) == (2, 2)


def test_one_batch_of_all_examples() -> None:
    read = zoo_subject(ExamplesConfig(model="custom-cnn", images=70))
    assert len(read.inputs[0]) == 70
    assert read.shown == "custom-cnn, weights random, seed 0, 70 images of photos"


def test_a_narrower_network_is_named() -> None:
    subject = load_subject(SubjectConfig(model="custom-cnn", width=0.5), 1)
    assert subject.network.get_parameter("features.0.weight").shape[0] == 16
    assert subject.config.shown_weights == "random weights, seed 0, width 0.5"
    assert subject.described["weights"] == "random, seed 0, width 0.5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three images to train on, and of one to test on, each of one grey."""
    for part, count in (("train", 3), ("test", 1)):
        for label in range(2):
            place = tmp_path / part / f"class-{label}"
            place.mkdir(parents=True)
            for image in range(count):
                Image.new("RGB", (80, 80), (100 * label + 10 * image,) * 3).save(place / f"{image}.png")
    return tmp_path


def test_of_a_folder_some_of_every_class(folder: Path) -> None:
    config = SubjectConfig(model="custom-cnn", data="imagefolder", data_root=str(folder), image_size=16)
    subject = load_subject(config, 2)
    assert subject.labels.tolist() == [0, 1]
    assert subject.places.tolist() == [0, 5]
    assert subject.pixels[:, 0, 0, 0].tolist() == [0, 120]
    assert load_subject(config, 4).labels.tolist() == [0, 0, 1, 1]


def test_images_are_normalised_as_the_weights_need(folder: Path) -> None:
    for name, root in (("imagefolder", str(folder)), ("photos", None)):
        for model, weights in (("vgg16", "vgg16-hed"), ("mobilenet-v2", "mobilenet-v2-imagenet")):
            config = SubjectConfig(model=model, weights=weights, data=name, data_root=root, image_size=80)
            assert config.pretrained is not None
            loaded = load_images(config)
            for split in (loaded.train, loaded.test):
                places = split.few(2)
                read, _ = split.batch(places)
                assert torch.equal(read, config.pretrained.normalisation.apply(split.pixels(places)))
