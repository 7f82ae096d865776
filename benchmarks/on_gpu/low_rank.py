"""Low rank: how much faster is a convolution in a quarter of its directions, and a network?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import factorise_
from mercuric.reuse.directions.basis import PrincipalDirections
from mercuric.reuse.directions.product import Placement, projected_convolution
from mercuric.zoo import build
from on_gpu.timing import DENSE, Forward, Settings, Step, as_rows, compared, fitting, in_turn

BATCHES = (64, 128, 256)
NETWORKS = ("vgg16", "resnet50")
AROUND = Placement(padding=(1, 1))
RATE = 0.01


def layer_rows(settings: Settings) -> list[dict[str, Any]]:
    """A row a shape, batch and form: fixed directions, two trained factors, and these in one kernel."""
    if settings.quick:
        return _layer(settings, 2, 64, 4)
    shapes = [(batch, channels, side) for channels, side in ((256, 56), (512, 28)) for batch in BATCHES]
    return [row for shape in shapes for row in _layer(settings, *shape)]


def network_rows(settings: Settings) -> list[dict[str, Any]]:
    """A row a network, batch and form: a whole training step by SGD, half the channels among the forms."""
    if settings.quick:
        return _network(settings, "vgg16", 2, 32)
    found = []
    for name in NETWORKS:
        for batch in BATCHES:
            found += fitting(f"{name}, batch {batch}", partial(_network, settings, name, batch, 224))
    return found


def _layer(settings: Settings, batch: int, channels: int, side: int) -> list[dict[str, Any]]:
    from on_gpu.fused import fused, reference  # Triton's, which not every processor has

    rank = channels // 4
    images, weight = settings.drawn(batch, channels, side, side), settings.filters(channels, channels, 3)
    thin, back = settings.filters(rank, channels, 3), settings.filters(channels, rank, 1)
    basis = torch.linalg.qr(torch.randn(channels, rank, device=settings.device))[0]
    directions = PrincipalDirections(basis)
    factors = (images, thin, back)
    forms: dict[str, tuple[Forward, Sequence[Tensor]]] = {
        DENSE: (lambda: F.conv2d(images, weight, padding=1), (images, weight)),
        "fixed directions": (
            lambda: projected_convolution(images, weight, None, directions, AROUND),
            (images, weight),
        ),
        "trained factors": (lambda: reference(*factors), factors),
        "trained factors, one kernel": (lambda: fused(*factors), factors),
    }
    case = f"{batch} x {channels} x {side} x {side}, rank {rank}"
    return compared("low rank, a layer", case, forms, settings)


def _network(settings: Settings, name: str, batch: int, side: int) -> list[dict[str, Any]]:
    images = settings.drawn(batch, 3, side, side).detach()
    classes = torch.zeros(batch, dtype=torch.long, device=settings.device)

    def step(width: float = 1.0, factors: bool = False) -> Step:
        network = build(name, classes=10, image_size=side, width=width).to(settings.device).train()
        network = network.to(memory_format=torch.channels_last)
        if factors:
            factorise_(network, images[:8].float())
        return _training_step(network, images, classes, settings)

    steps = {DENSE: step(), "trained factors": step(factors=True), "half of the channels": step(width=0.5)}
    return as_rows(
        "low rank, a network's step", f"{name}, batch {batch}", {"training": in_turn(steps, settings)}
    )


def _training_step(network: nn.Module, images: Tensor, classes: Tensor, settings: Settings) -> Step:
    optimizer = torch.optim.SGD(network.parameters(), RATE, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with settings.autocast():
            loss = F.cross_entropy(network(images), classes)
        torch.autograd.backward(loss)
        optimizer.step()

    return step
