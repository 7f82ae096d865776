"""Which layer made this tensor, if nothing since has moved an element? (paper III-C2: O_i is I_(i+1))

Autograd's graph is read from a tensor back to the layer, through operations that keep each element at its
place in row-major order: elementwise functions of one tensor, normalisation, dropout, casts and views.
Whatever else is met ends the search: what moves, mixes, joins or picks elements, and what isn't known.
"""

import re
from typing import Any

from torch import Tensor

# PyTorch's own nodes have a number behind: anybody's function may be named "Relu".
_NATIVE = re.compile(r"(\w+)Backward\d+")
_FIRST_IS_DATA = frozenset(
    [
        *("Abs", "Celu", "Clamp", "ClampMax", "ClampMin", "Elu", "Erf", "Exp", "Gelu", "Hardshrink"),
        *("Hardsigmoid", "Hardswish", "Hardtanh", "LeakyRelu", "LogSigmoid", "Mish", "Neg", "Pow"),
        *("PreluKernel", "Relu", "RreluWithNoise", "Sigmoid", "Silu", "Softplus", "Softshrink", "Sqrt"),
        *("Tanh", "Threshold"),
        *("CudnnBatchNorm", "FusedRmsNorm", "MiopenBatchNorm", "NativeBatchNorm", "NativeGroupNorm"),
        *("NativeLayerNorm", "FusedDropout", "NativeDropout"),
        *("Alias", "Clone", "NegView", "ReshapeAlias", "Squeeze", "ToCopy", "UnsafeView", "Unsqueeze"),
        *("View",),
    ]
)
# Dropout multiplies by a mask and a constant: they keep places where all but one operand are given numbers.
_ONE_IS_DATA = {"Div", "Mul"}


def maker_of(tensor: Tensor, kinds: tuple[type, ...]) -> Any:
    """The attribute ``product`` of the nearest node that has one of ``kinds``; None where places changed.

    Numbers of elements never fall on the way, so that elements are where they were if ``tensor`` has the
    shape of what the node made.
    """
    node = tensor.grad_fn
    while node is not None:
        product = getattr(node, "product", None)
        if isinstance(product, kinds):
            return product
        node = _data(node)
    return None


def _data(node: Any) -> Any:
    """The node that made the one tensor whose elements ``node`` kept in order; None for other nodes."""
    known = _NATIVE.fullmatch(node.name())
    if known is None:
        return None
    name, parents = known[1], [parent for parent, _ in node.next_functions]
    if name in _FIRST_IS_DATA:
        return parents[0]
    made = [parent for parent in parents if parent is not None and parent.next_functions]
    return made[0] if name in _ONE_IS_DATA and len(made) == 1 else None
