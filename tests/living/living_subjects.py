"""Which small networks does reuse live with, and what do they say of one batch?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import ReuseConfig
from mercuric.data import load
from mercuric.torchvision_operators import torchvision  # noqa: F401 - before timm

import timm  # isort: skip

CLASSES = 4


class Words(nn.Module):
    """A Transformer over the rows of photographs as words of 48 numbers."""

    def __init__(self, whole: bool, layers: int = 2) -> None:
        super().__init__()
        self.project = nn.Linear(48, 32)
        if whole:
            self.transformer: nn.Module = nn.Transformer(32, 2, 1, 1, 48, 0.0, batch_first=True)
        else:
            layer = nn.TransformerEncoderLayer(32, 2, 48, 0.0, batch_first=True)
            self.transformer = nn.TransformerEncoder(layer, layers)
        self.whole = whole
        self.classify = nn.Linear(32, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        words = self.project(images.permute(0, 2, 3, 1).flatten(2))
        encoded = self.transformer(words, words[:, :9]) if self.whole else self.transformer(words)
        result: Tensor = self.classify(encoded.mean(1))
        return result


def convolutional() -> nn.Module:
    """Convolutions, batch normalisation, activations in place, a fully connected layer."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 12, 1),
        nn.BatchNorm2d(12),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(48, CLASSES),
    )


class Bent(nn.Module):
    """Convolutions of signals, and transposed ones."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ConvTranspose2d(8, 6, 3, 2, 1)
        self.along, self.classify = nn.Conv1d(6, 8, 3, padding=1), nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        rows = self.up(self.down(images).relu(), output_size=images.shape[-2:]).mean(3)
        result: Tensor = self.classify(self.along(rows).relu().mean(2))
        return result


def vision() -> nn.Module:
    """timm's ViT, two blocks narrow, four patches and the class token."""
    return timm.create_model(
        "vit_tiny_patch16_224", img_size=16, patch_size=4, depth=2, embed_dim=32, num_heads=2,
        num_classes=CLASSES,
    )  # fmt: skip


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "cnn": convolutional,
    "bent": Bent,
    "encoder": lambda: Words(whole=False),
    "transformer": lambda: Words(whole=True),
    "vit": vision,
}


def build(name: str) -> nn.Module:
    """The network with the weights of seed 0."""
    torch.manual_seed(0)
    return BUILDERS[name]()


def config(backward: str, **settings: object) -> ReuseConfig:
    """So many bits that only equal vectors are alike, in any precision."""
    return ReuseConfig(**{"bits": 128, "granularity": "patch", "backward": backward, **settings})


@cache
def batch() -> tuple[Tensor, Tensor]:
    """Four crops of photographs of 16 x 16, the right half as the left and the lower as the upper."""
    images, _ = load("photos").test.batch(torch.arange(4))
    corner = F.avg_pool2d(images, 4)
    return corner.tile(1, 1, 2, 2), torch.arange(4)


@dataclass
class Pass:
    """Output, loss and gradients by name, of one training pass."""

    output: Tensor
    loss: Tensor
    gradients: dict[str, Tensor]


def training_pass(
    model: nn.Module, images: Tensor | None = None, autocast: torch.dtype | None = None
) -> Pass:
    """Forward and backward, from no gradients."""
    given, labels = batch()
    model.zero_grad()
    with torch.autocast("cpu", autocast or torch.bfloat16, enabled=autocast is not None):
        output = model(given if images is None else images)
        loss = F.cross_entropy(output.float(), labels)
    loss.backward()
    gradients = {
        name.removeprefix("_orig_mod."): value.grad.detach().clone()
        for name, value in model.named_parameters()
        if value.grad is not None
    }
    return Pass(output.detach(), loss.detach(), gradients)


def distance(one: Pass, other: Pass) -> float:
    """The larger relative distance, of the outputs or of all gradients as one vector."""
    assert one.gradients.keys() == other.gradients.keys()
    return max(_relative(one.output, other.output), _relative(_joined(one), _joined(other)))


def _joined(one: Pass) -> Tensor:
    return torch.cat([one.gradients[name].float().flatten() for name in sorted(one.gradients)])


def _relative(value: Tensor, expected: Tensor) -> float:
    return float((value.float() - expected.float()).norm() / expected.float().norm())
