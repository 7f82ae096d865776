"""How many words cross between DRAM and buffer?"""

import numpy as np
from numpy.typing import NDArray

from mercuric.accelerator.energy.operands import Operands, Tensor, Words
from mercuric.reuse.vectors import VectorShape

Counts = NDArray[np.int64]


def dram_words(buffer_words: int, shape: VectorShape, operands: Operands, accumulated: Tensor) -> Words:
    """Words of each tensor that a product reads from DRAM or writes to it, by the best of three loop orders.

    A tile of positions and filters is worked on at a time, over the whole depth, and the buffer holds its
    partial results besides: all inputs of the positions (``docs/energy.md``: inputs held), all weights of
    the filters (weights held), or neither (results held).

    Args:
        buffer_words: words of the global buffer, at least 3.
        shape: the input vectors.
        operands: their tensors.
        accumulated: the tensor that the product writes: each later visit of it is a read and a write.
    """
    inputs, weights = _visits(buffer_words, shape, operands)
    words = operands.words
    moved_inputs, moved_weights = words.inputs * inputs, words.weights * weights
    if accumulated == "inputs":
        moved_inputs += words.inputs * (inputs - 1)
    if accumulated == "weights":
        moved_weights += words.weights * (weights - 1)
    best = int((moved_inputs + moved_weights).argmin())
    return Words(int(moved_inputs[best]), int(moved_weights[best]), words.outputs)


def _visits(buffer_words: int, shape: VectorShape, operands: Operands) -> tuple[Counts, Counts]:
    """How often each input and each weight is loaded, for every order and tile that fits."""
    positions, filters = max(shape.images * shape.vectors, 1), max(shape.filters, 1)
    groups = max(shape.groups, 1)
    results = np.arange(1, filters + 1)
    beside = (buffer_words - results) // (results + 1)
    fits = beside >= 1
    inputs = (-(-filters // results[fits])).tolist()
    weights = (-(-positions // beside[fits])).tolist()

    held = (buffer_words - 1) * groups * positions // (operands.words.inputs + groups * positions)
    if held >= 1:
        inputs.append(1)
        weights.append(-(-positions // held))
    held = (buffer_words - 1) // (shape.length * shape.depth + 1)
    if held >= 1:
        inputs.append(-(-filters // held))
        weights.append(1)
    return np.array(inputs, dtype=np.int64), np.array(weights, dtype=np.int64)
