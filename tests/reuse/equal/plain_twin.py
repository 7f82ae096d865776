"""A model with exact reuse beside the same model without it, and whether a step of both is the same."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import mercuric


def images() -> Tensor:
    """Three shades in one half, blank in the other: (4, 3, 16, 12) float64."""
    drawn = torch.randint(0, 3, (4, 3, 16, 12), generator=torch.Generator().manual_seed(0)).double() / 2
    drawn[:, :, :8] = 0
    return drawn


def network(dropout: float = 0.3) -> nn.Sequential:
    """Convolutions "0" and "2.0", fully connected layer "6"."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(True),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(8 * 48, 5),
    ).double()


class Two(nn.Module):
    """Two convolutions; subclasses say what lies between and around them."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.double()

    def forward(self, x: Tensor) -> Any:
        return self.b(self.a(x).relu())


class Between(Two):
    """Gives what is between its convolutions to a function.

    Args:
        function: of the feature map, gives one.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.b(self.function(self.a(x).relu()))


class Twins:
    """A model twice, of the same weights: ``reused`` has exact reuse in all layers, ``plain`` none.

    Args:
        build: makes one of them.
        config: what :class:`mercuric.Equal` is told beside ``most=1.0``.
    """

    def __init__(self, build: Callable[[], nn.Module] = network, **config: Any) -> None:
        self.reused, self.plain = (seeded(build) for _ in range(2))
        self.handle = mercuric.reuse_(self.reused, mercuric.Equal(most=1.0, **config))

    @property
    def both(self) -> tuple[nn.Module, nn.Module]:
        return self.reused, self.plain

    @property
    def computes(self) -> list[str]:
        """What each layer did in the last pass."""
        return [layer.computes for layer in self.handle.layers.values()]

    def eval(self) -> "Twins":
        for model in self.both:
            model.eval()
        return self

    def agree(self, function: Callable[[nn.Module], Any], tolerance: float = 1e-12) -> Any:
        """What a function of a model gives is the same for both; the reused model's."""
        found, expected = (function(model) for model in self.both)
        close(found, expected, tolerance)
        return found

    def step_alike(self, given: Any = None) -> None:
        """Output and all gradients of a step are the same for both."""
        self.agree(lambda model: step(model, images() if given is None else given))


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return build()


def step(model: nn.Module, given: Any) -> list[Tensor]:
    """Output and gradients of one step whose random numbers are always the same."""
    model.zero_grad()
    torch.manual_seed(3)
    output = model(given)
    output.square().sum().backward()
    return [output.detach(), *gradients(model)]


def gradients(model: nn.Module) -> list[Tensor]:
    """Of all parameters that got one."""
    found = [parameter.grad for parameter in model.parameters()]
    assert any(gradient is not None for gradient in found)
    return [gradient.clone() for gradient in found if gradient is not None]


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Tensors, or lists of them, alike relative to the largest number of each."""
    if isinstance(expected, Tensor):
        assert type(found) is Tensor
        scale = max(1.0, float(expected.detach().abs().max())) if expected.numel() else 1.0
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)
        return
    assert isinstance(expected, Sequence) and len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        close(one, other, tolerance)
