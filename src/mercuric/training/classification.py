"""How does a network learn to tell the classes of images, and how often is it right?"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.data import ImageData


@dataclass(frozen=True)
class ClassificationTask:
    """Classes of images, learned by cross entropy; a :class:`~mercuric.training.Task`.

    Attributes:
        data: what is trained and tested on.
        label_smoothing: of the training loss, from 0 to below 1.
        augment: train on random crops and mirror images.
    """

    data: ImageData
    label_smoothing: float = 0.0
    augment: bool = False

    @property
    def metric(self) -> str:
        """The share of test images that are classified right."""
        return "accuracy"

    def __len__(self) -> int:
        return len(self.data.train)

    def loss(self, model: nn.Module, indices: Tensor, generator: torch.Generator | None) -> Tensor:
        """See ``Task.loss``."""
        images, labels = self.data.train.batch(indices, generator if self.augment else None)
        device = next(model.parameters()).device
        output = model(images.to(device))
        return F.cross_entropy(output, labels.to(device), label_smoothing=self.label_smoothing)

    def evaluate(self, model: nn.Module, batch_size: int) -> dict[str, float]:
        """Mean cross entropy (without smoothing) and accuracy; see ``Task.evaluate``."""
        test, device, was_training = self.data.test, next(model.parameters()).device, model.training
        model.eval()
        loss, right = 0.0, 0
        with torch.no_grad():
            for indices in torch.split(torch.arange(len(test)), batch_size):
                images, labels = test.batch(indices)
                output = model(images.to(device)).cpu()
                loss += float(F.cross_entropy(output, labels, reduction="sum"))
                right += int((output.argmax(1) == labels).sum())
        model.train(was_training)
        return {"test_loss": loss / len(test), "test_accuracy": right / len(test)}
