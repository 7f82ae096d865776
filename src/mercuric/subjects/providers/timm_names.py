"""How is a network of timm had?"""

from typing import Any

from torch import nn

from mercuric.extras import needed_for
from mercuric.subjects.providers.library import LibraryNames, made_by
from mercuric.subjects.providers.provider import Arguments, Opened, Purpose, finished


class TimmNames(LibraryNames):
    """``timm/NAME``, with random weights."""

    def __init__(self) -> None:
        super().__init__("timm")

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``; arguments are those of ``timm.create_model``."""
        timm = _timm()
        inner = self.inner(name.partition(".")[0], timm.list_models())
        published: Any = timm.get_pretrained_cfg(inner, allow_unregistered=True)

        def build(purpose: Purpose) -> nn.Module:
            made = made_by(
                name, lambda **given: timm.create_model(inner, **given), arguments,
                num_classes=purpose.classes, in_chans=purpose.channels,
            )  # fmt: skip
            return finished(name, made, purpose)

        size = None if published is None else published.input_size[-1]
        return Opened(build, image_size=size, rests_on=lambda: {"timm": timm.__version__})


def _timm() -> Any:
    import mercuric.torchvision_operators  # noqa: F401 - timm imports torchvision

    with needed_for("timm/NAME"):
        import timm  # takes half a second: only who asks for it waits
    return timm
