"""What is a network in directions as PyTorch's layers?"""

import copy

from torch import nn

from mercuric.reuse import Directions, ReuseHandle, restore_
from mercuric.reuse.directions.factors import factors, products, put_


def plain_layers(model: nn.Module, handle: ReuseHandle | None) -> nn.Module | None:
    """A copy in which every layer in directions is two layers, which compute the same up to rounding.

    Args:
        model: dense, or with reuse.
        handle: of its layers; None: they are dense.

    Returns:
        None where layers share results, which no plain layers do.
    """
    plain = copy.deepcopy(model)
    if handle is None:
        return plain
    if not isinstance(handle.config, Directions) or handle.config.residual_bits is not None:
        return None
    restore_(plain)
    layers = dict(products(plain))
    for _, row in handle.report().iterrows():
        if row["computes"] == "directions":
            put_(plain, row["layer"], factors(layers[row["layer"]], int(row["rank"])))
    return plain
