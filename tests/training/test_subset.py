import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mercuric import data, zoo
from mercuric.data import ImageData
from mercuric.training import ClassificationTask, FewerExamples


@pytest.fixture(scope="module")
def photos() -> ImageData:
    return data.load("photos", image_size=16)


@given(few=st.integers(1, 10_500), more=st.integers(1, 10_500), seed=st.integers(0, 99))
def test_more_examples_are_fewer_and_others_whatever_the_seed(
    photos: ImageData, few: int, more: int, seed: int
) -> None:
    few, more = sorted((few, more))
    task = ClassificationTask(photos)
    small = FewerExamples(task, few).kept
    torch.manual_seed(seed)
    large = FewerExamples(task, more).kept
    assert torch.equal(small, large[:few])
    assert large.unique().numel() == len(FewerExamples(task, more)) == more
    assert 0 <= int(large.min()) <= int(large.max()) < len(task)


def test_few_examples_are_of_all_classes(photos: ImageData) -> None:
    kept = FewerExamples(ClassificationTask(photos), 320).kept
    assert photos.train.labels[kept].bincount(minlength=7).min() > 20


def test_the_loss_is_of_the_kept_examples_and_the_test_is_whole(few_photos: ImageData) -> None:
    task = ClassificationTask(few_photos, label_smoothing=0.1)
    fewer = FewerExamples(task, 9)
    torch.manual_seed(0)
    model: nn.Module = zoo.build("custom-cnn", 7, 3, 16)
    places = torch.tensor([8, 0, 3])
    assert fewer.loss(model, places, None).item() == task.loss(model, fewer.kept[places], None).item()
    assert fewer.evaluate(model, 8) == task.evaluate(model, 8)
    assert fewer.metric == "accuracy"


@pytest.mark.parametrize("count", [0, -1, 45])
def test_more_than_there_are_or_none_at_all(few_photos: ImageData, count: int) -> None:
    with pytest.raises(ValueError, match=f"train_examples was {count}, but must be from 1 to the 44 there"):
        FewerExamples(ClassificationTask(few_photos), count)
