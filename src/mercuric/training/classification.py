"""How does a network learn to tell classes, and how often is it right?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.data import ArrayData, ImageData
from mercuric.errors import ArgumentError, described
from mercuric.reuse.distributed import summed
from mercuric.training.ranks import share


@dataclass(frozen=True)
class ClassificationTask:
    """Classes of images, or of other arrays, learned by cross entropy; a :class:`~mercuric.training.Task`.

    Attributes:
        data: what is trained and tested on.
        label_smoothing: of the training loss, from 0 to below 1.
        augment: train on random crops and mirror images; of images alone.
    """

    data: ImageData | ArrayData
    label_smoothing: float = 0.0
    augment: bool = False

    @property
    def metric(self) -> str:
        """The share of test examples that are classified right."""
        return "accuracy"

    def __len__(self) -> int:
        return len(self.data.train)

    def loss(self, model: nn.Module, indices: Tensor, generator: torch.Generator | None) -> Tensor:
        """See ``Task.loss``."""
        inputs, labels = self.data.train.batch(indices, generator if self.augment else None)
        device = next(model.parameters()).device
        return classification_loss(_output(model, inputs, device), labels.to(device), self.label_smoothing)

    def weight(self, indices: Tensor) -> int:
        """See ``Task.weight``."""
        return len(indices)

    def evaluate(self, model: nn.Module, batch_size: int) -> dict[str, float]:
        """Mean cross entropy (without smoothing) and accuracy, over all ranks; see ``Task.evaluate``."""
        test, device, was_training = self.data.test, next(model.parameters()).device, model.training
        model.eval()
        loss, right = 0.0, 0
        with torch.no_grad():
            for indices in filter(len, torch.split(share(torch.arange(len(test))), batch_size)):
                inputs, labels = test.batch(indices)
                output = scores_of(_output(model, inputs, device)).cpu()
                loss += float(F.cross_entropy(output, labels, reduction="sum"))
                right += int((output.argmax(1) == labels).sum())
        model.train(was_training)
        loss, right = summed(torch.tensor([loss, right], dtype=torch.float64)).tolist()
        return {"test_loss": loss / len(test), "test_accuracy": right / len(test)}


def scores_of(output: Any) -> Tensor:
    """A network's scores: its output, the first of several, or what models of transformers call ``logits``.

    Raises:
        ValueError: there is no tensor in it.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        return scores_of(output["logits"] if "logits" in output else next(iter(output.values()), None))
    if isinstance(output, tuple | list) and output:
        return scores_of(output[0])
    raise ArgumentError(f"output of the network was {described(output)}, but must be or hold a tensor")


def classification_loss(output: Any, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Cross entropy of a network's scores.

    Args:
        output: of the network; (B, classes), as :func:`scores_of` finds it.
        target: (B,) int64.
        label_smoothing: from 0 to below 1.

    Raises:
        ValueError: there is no score for one of the classes.
    """
    scores = scores_of(output)
    if scores.dim() != 2 or scores.shape[1] <= int(target.max()):
        raise ArgumentError(
            f"output of the network was of shape {tuple(scores.shape)}, but must have a score of each class "
            f"up to {int(target.max())}, of {len(target)} examples"
        )
    return F.cross_entropy(scores, target, label_smoothing=label_smoothing)


def _output(model: nn.Module, inputs: Tensor | tuple[Tensor, ...], device: torch.device) -> Any:
    return model(*(one.to(device) for one in ((inputs,) if isinstance(inputs, Tensor) else inputs)))
