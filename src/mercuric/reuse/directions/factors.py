"""How does a layer become two thinner ones?

    W = back thin

of a rank that is less than W's, from the singular value decomposition: of all such products the nearest to W
(Eckart and Young), its weight shared out evenly. Both are layers of PyTorch, and both are trained.
"""

from collections import OrderedDict
from collections.abc import Iterator
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn

Product = nn.Conv2d | nn.Linear


def products(network: nn.Module) -> Iterator[tuple[str, Product]]:
    """The layers that can be factorised, by name: convolutions without groups, fully connected layers."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1):
            yield name, layer


def filters_and_length(layer: Product) -> tuple[int, int]:
    """The layer's filters, and the elements of each."""
    return len(layer.weight), layer.weight[0].numel()


def most_that_saves(filters: int, length: int) -> int:
    """The largest rank whose two products take fewer multiplications than the one: r (M + K) < M K."""
    return ceil(filters * length / (filters + length)) - 1


def decompose_(network: nn.Module, ranks: dict[str, int]) -> dict[str, int]:
    """Decompose layers' weights into factors, in place, where that saves multiplications.

    Args:
        network: whose.
        ranks: layer to rank.

    Returns:
        Those of ``ranks`` that were.
    """
    layers = dict(products(network))
    done = {
        name: rank
        for name, rank in ranks.items()
        if rank <= most_that_saves(*filters_and_length(layers[name]))
    }
    for name, rank in done.items():
        put_(network, name, factors(layers[name], rank))
    return done


def put_(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Let a layer take the place of the one of that name."""
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, layer)


def factors(layer: Product, rank: int, weight: Tensor | None = None) -> nn.Sequential:
    """Two layers, ``thin`` and ``back``, that compute nearly what the one does; the second has its bias.

    Args:
        layer: a convolution without groups, or fully connected.
        rank: filters of the first, at most the layer's.
        weight: what to factorise instead of the layer's.
    """
    thin, back = _layers(layer, rank)
    whole = (layer.weight if weight is None else weight).detach()
    with torch.no_grad():
        # As it is made of U, which is small, this takes a fraction of the decomposition's time.
        rows = whole.flatten(1).double()
        energies, vectors = torch.linalg.eigh(rows @ rows.T)
        kept = vectors[:, -rank:].flip(1)
        roots = energies[-rank:].flip(0).clamp(min=torch.finfo(torch.float64).tiny).sqrt().sqrt()
        thin.weight.copy_((kept.T @ rows / roots[:, None]).view_as(thin.weight))
        back.weight.copy_((kept * roots).view_as(back.weight))
        if layer.bias is not None and back.bias is not None:
            back.bias.copy_(layer.bias)
    return nn.Sequential(OrderedDict(thin=thin, back=back)).train(layer.training)


def _layers(layer: Product, rank: int) -> tuple[Product, Product]:
    bias = layer.bias is not None
    place: dict[str, Any] = {"device": layer.weight.device, "dtype": layer.weight.dtype}
    if isinstance(layer, nn.Linear):
        return (
            nn.Linear(layer.in_features, rank, bias=False, **place),
            nn.Linear(rank, layer.out_features, bias=bias, **place),
        )
    windows: dict[str, Any] = {
        "kernel_size": layer.kernel_size, "stride": layer.stride, "padding": layer.padding,
        "dilation": layer.dilation, "padding_mode": layer.padding_mode,
    }  # fmt: skip
    thin = nn.Conv2d(layer.in_channels, rank, bias=False, **windows, **place)
    return thin, nn.Conv2d(rank, layer.out_channels, 1, bias=bias, **place)
