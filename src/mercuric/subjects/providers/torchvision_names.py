"""How is a network of torchvision had?"""

from typing import Any

from torch import nn

from mercuric.subjects.providers.library import LibraryNames, made_by
from mercuric.subjects.providers.provider import Arguments, Opened, Purpose, finished


class TorchvisionNames(LibraryNames):
    """``torchvision/NAME``, with random weights."""

    def __init__(self) -> None:
        super().__init__("torchvision")

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``; arguments are those of ``torchvision.models.get_model``."""
        from mercuric.torchvision_operators import torchvision

        models: Any = torchvision.models
        inner = self.inner(name, models.list_models())

        def build(purpose: Purpose) -> nn.Module:
            made = made_by(
                name, lambda **given: models.get_model(inner, **given), arguments,
                num_classes=purpose.classes,
            )  # fmt: skip
            return finished(name, made, purpose)

        return Opened(build, _crop(models, inner), rests_on=lambda: {"torchvision": torchvision.__version__})


def _crop(models: Any, name: str) -> int | None:
    """Side of the images that its published weights read; of classifiers."""
    published = list(models.get_model_weights(name))
    size = getattr(published[0].transforms(), "crop_size", None) if published else None
    return size[0] if size else None
