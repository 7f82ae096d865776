"""What do layers of a network give, at places that are drawn once?"""

import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

SAMPLES = 8192
"""Responses of a layer that are kept, of all batches together."""


class _Reached(Exception):  # noqa: N818 - no error: the rest of the pass is not needed
    pass


@dataclass
class Responses:
    """Of one layer.

    Attributes:
        rows: (samples, filters), with bias.
        vectors: of all its responses in a pass, in the mean over batches.
    """

    rows: Tensor
    vectors: int


@dataclass
class _Seen:
    name: str
    samples: int
    stop: bool
    rows: list[Tensor] = field(default_factory=list)
    vectors: int = 0

    def keep(self, layer: Any, _given: Any, output: Tensor) -> None:
        last = output.detach().movedim(1, -1) if isinstance(layer, nn.Conv2d) else output.detach()
        rows = last.reshape(-1, last.shape[-1])
        seed = zlib.crc32(f"{self.name} {len(self.rows)}".encode())
        places = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[: self.samples]
        self.rows.append(rows[places].clone())
        self.vectors += len(rows)
        if self.stop:
            raise _Reached


@torch.no_grad()
def responses(
    network: nn.Module,
    names: Sequence[str],
    batches: Sequence[Tensor],
    samples: int = SAMPLES,
    *,
    stop: bool = False,
) -> dict[str, Responses]:
    """Responses of the named layers that passes reach, in their order.

    Places are drawn by layer and batch, so that those of a changed network are at the same ones.

    Args:
        network: whose.
        names: of convolutions and fully connected layers.
        batches: images.
        samples: of a layer, over all batches.
        stop: whether a pass may end behind the first of the layers.
    """
    each = max(1, samples // len(batches))
    seen = {name: _Seen(name, each, stop) for name in names}
    order: dict[str, None] = {}
    with ExitStack() as hooks:
        for name, one in seen.items():
            layer = network.get_submodule(name)
            first = layer.register_forward_pre_hook(lambda *_, name=name: order.setdefault(name))
            hooks.callback(first.remove)
            hooks.callback(layer.register_forward_hook(one.keep).remove)
        for batch in batches:
            try:
                network(batch)
            except _Reached:
                continue
    return {name: Responses(torch.cat(seen[name].rows), seen[name].vectors // len(batches)) for name in order}


@torch.no_grad()
def follower_is_relu(network: nn.Module, name: str, images: Tensor) -> bool:
    """Whether what the layer gives goes straight into an ``nn.ReLU``."""
    given: list[Tensor] = []
    found: list[bool] = []

    def look(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        if given and arguments and arguments[0] is given[0] and not list(module.children()):
            found.append(isinstance(module, nn.ReLU))

    with ExitStack() as hooks:
        layer = network.get_submodule(name)
        hooks.callback(layer.register_forward_hook(lambda *call: given.append(call[2])).remove)
        for module in network.modules():
            hooks.callback(module.register_forward_pre_hook(look).remove)
        network(images)
    return bool(found) and all(found)
