"""How does a network train both factors of its layers?"""

from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.directions.basis import PrincipalDirections, principal_directions, sampled_rows
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.cost import PAYS
from mercuric.reuse.directions.factors import Product, factors, filters_and_length, put_
from mercuric.reuse.directions.fit.arguments import check_batch
from mercuric.reuse.directions.fit.sensitivity import Batch, called
from mercuric.reuse.directions.part import teaches, without_bias
from mercuric.reuse.directions.weights import projected
from mercuric.reuse.layer_filter import LayerFilter, layer_filter
from mercuric.reuse.modes import keeping_modes
from mercuric.reuse.reuse_layer import is_reuse_layer
from mercuric.reuse.weights import holders

_READ_WEIGHTS = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
"""Modules of PyTorch whose passes read their layers' weights."""


def factorise_(
    model: nn.Module, batch: Batch, rank: int | float = 0.25, filter_fn: LayerFilter | None = None
) -> dict[str, int]:
    """Replace layers, in place, by two thinner ones whose weights are both trained.

    The first has as many filters as there are directions, the second brings its outputs back, so that both
    together compute the layer in the principal directions of its outputs on ``batch``. Both are plain layers
    of PyTorch, ``thin`` and ``back`` of an ``nn.Sequential``; there is no way back. Make the optimizer
    afterwards. In equal seconds this trained further than
    :class:`~mercuric.Directions`, whose basis stays, with VGG13 on Fashion-MNIST, and as far with ResNet18;
    a narrower network as far or further (``docs/front.md``).

    Args:
        model: without reuse. Convolutions without groups and fully connected layers may be replaced, but not
            their subclasses, what has hooks or two names, frozen or shared weights, or layers within
            PyTorch's own attention and Transformer layers.
        batch: a training pass's arguments: what the model will read. Statistics of normalisation see it.
        rank: directions a layer, a number or a share of the layer's filters below 1, rounded up to a multiple
            of 16.
        filter_fn: which layers, as for :func:`~mercuric.reuse_`.

    Returns:
        The replaced layers' names, each with its rank: those where both products take at most 90 % of the
        one's multiplications. None may be.

    Raises:
        ValueError: an argument is not what it must be, or the model has reuse layers.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model was {described(model)}, but must be a torch.nn.Module")
    if any(map(is_reuse_layer, model.modules())):
        raise ArgumentError("model has reuse layers; call restore_(model) first")
    check_batch(batch, model.forward)
    config, layers = Directions(rank=rank), _replaceable(model)
    wanted = layer_filter(filter_fn, list(layers))
    chosen = {name: layer for name, layer in layers.items() if wanted(layer, name)}
    found = _directions(model, batch, config, chosen)
    for name, directions in found.items():
        layer = chosen[name]
        put_(model, name, factors(layer, directions.rank, projected(layer.weight, directions.basis)))
    return {name: directions.rank for name, directions in found.items()}


def _directions(
    model: nn.Module, batch: Batch, config: Directions, layers: dict[str, Product]
) -> dict[str, PrincipalDirections]:
    """Directions of the outputs of a training pass, of layers for which so many save multiplications."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str, layer: Product, _: object, output: Tensor) -> None:
        vectors = output.detach().movedim(1, -1) if isinstance(layer, nn.Conv2d) else output.detach()
        rows = sampled_rows(vectors.reshape(-1, len(layer.weight)), config.samples)
        outputs.setdefault(name, without_bias(rows, layer.bias))

    with ExitStack() as watch:
        watch.enter_context(keeping_modes(model))
        watch.enter_context(torch.no_grad())
        for name, layer in layers.items():
            watch.enter_context(layer.register_forward_hook(partial(keep, name)))
        model.train()
        called(model, batch)
    found = {}
    for name, rows in outputs.items():
        filters, length = filters_and_length(layers[name])
        directions = principal_directions(rows, config, length) if teaches(rows) else None
        if directions is not None and directions.rank * (filters + length) <= PAYS * filters * length:
            found[name] = directions
    return found


def _replaceable(model: nn.Module) -> dict[str, Product]:
    """The layers that nothing but their own pass reads, by name."""
    names = Counter(id(module) for _, module in model.named_modules(remove_duplicate=False))
    held = holders(model)
    readers = [module for module in model.modules() if isinstance(module, _READ_WEIGHTS)]
    read = {id(inner) for module in readers for inner in module.modules()}

    def may(layer: nn.Module) -> bool:
        if type(layer) not in (nn.Conv2d, nn.Linear) or getattr(layer, "groups", 1) != 1:
            return False
        hooked = layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
        if layer is model or names[id(layer)] > 1 or id(layer) in read or hooked:
            return False
        return type(layer.weight) is nn.Parameter and all(
            one.requires_grad and held[id(one)] == 1 for one in layer.parameters()
        )

    return {name: cast(Product, layer) for name, layer in model.named_modules() if may(layer)}
