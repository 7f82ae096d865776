"""What is a linear layer's result on flattened maps, whose classes repeat at the same positions?"""

import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.convolution import convolution_by
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.cpu.pairs import Pairs
from mercuric.reuse.equal.kernels.moves import expand


def class_product_flat(rows: Tensor, ids: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear layer on flattened maps, whose features are channels x positions.

    It is a convolution whose windows are whole maps: each distinct pair of a position and a class is
    multiplied once, where pairs are few.

    Args:
        rows: (R, C).
        ids: int32, (N, P): the row at each position.
        weight: (M, C x P).
        bias: (M,) or None.

    Returns:
        (N, M), with exact gradients for rows, weight and bias.
    """
    if not are_compiled(rows):
        return reference.class_product_flat(rows, ids, weight, bias)
    pairs = Pairs.of(ids, len(rows))
    if not pairs.pay(rows.shape[1], weights_apart=True):
        return F.linear(expand(rows, ids).mT.flatten(1), weight, bias)
    return convolution_by(pairs, rows, weight.reshape(len(weight), rows.shape[1], 1, -1), bias, ids)
