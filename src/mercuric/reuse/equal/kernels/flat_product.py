"""What is a linear layer's result on flattened maps, whose classes repeat at the same positions?"""

from torch import Tensor

from mercuric.reuse.equal.kernels import reference
from mercuric.reuse.equal.kernels.convolution import convolution_by
from mercuric.reuse.equal.kernels.cpu.operands import are_compiled
from mercuric.reuse.equal.kernels.cpu.pairs import Pairs


def class_product_flat(
    rows: Tensor, ids: Tensor, weight: Tensor, bias: Tensor | None, most: int | None = None
) -> tuple[Tensor, int] | None:
    """A linear layer on flattened maps, whose features are channels x positions.

    It is a convolution whose windows are whole maps: each distinct pair of a position and a class is
    multiplied once.

    Args:
        rows: (R, C).
        ids: int32, (N, P): the row at each position.
        weight: (M, C x P).
        bias: (M,) or None.
        most: pairs at most; None: where multiplying each once is faster than each position of each map.

    Returns:
        (N, M), with exact gradients for rows, weight and bias, and how many pairs there are; None where
        there are too many of them.
    """
    if not are_compiled(rows):
        count = reference.pair_count(ids)
        if most is None or count > most:
            return None
        return reference.class_product_flat(rows, ids, weight, bias), count
    pairs = Pairs.of(ids, len(rows))
    count = len(pairs.rows)
    if not (pairs.pay(rows.shape[1], weights_apart=True) if most is None else count <= most):
        return None
    filters = weight.reshape(len(weight), rows.shape[1], 1, -1)
    return convolution_by(pairs, rows, filters, bias, ids), count
