import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mercuric import zoo
from mercuric.data import ImageData
from mercuric.training import ClassificationTask


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(3)
    return zoo.build("custom-cnn", 7, 3, 16)


@pytest.mark.parametrize("batch_size", [1, 8, 21, 64])
def test_it_is_the_mean_over_single_images(model: nn.Module, few_photos: ImageData, batch_size: int) -> None:
    losses, right = [], 0
    for index in range(21):
        image, label = few_photos.test.batch(torch.tensor([index]))
        scores = model(image)[0].detach()
        losses.append(float(-scores.log_softmax(0)[label]))
        right += int(scores.argmax() == label)
    tested = ClassificationTask(few_photos, label_smoothing=0.3).evaluate(model, batch_size)
    assert tested == {"test_loss": pytest.approx(sum(losses) / 21, rel=1e-5), "test_accuracy": right / 21}


@pytest.mark.parametrize("training", [True, False])
def test_it_runs_in_evaluation_mode_and_gives_the_mode_back(few_photos: ImageData, training: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(768, 7)).train(training)
    first, second = (ClassificationTask(few_photos).evaluate(model, 8) for _ in range(2))
    assert first == second
    assert model.training is training
    images, labels = few_photos.test.batch(torch.arange(21))
    expected = F.cross_entropy(model[2](images.flatten(1)), labels)
    assert first["test_loss"] == pytest.approx(expected.item(), rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())
