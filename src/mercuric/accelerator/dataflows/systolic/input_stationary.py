"""How many cycles does a product take on an input-stationary systolic array?

Rows of the first operand sit in the PEs, one in a column, and the columns of the second stream through
(paper IV: a vector that hits is not loaded again once its signature is known).
"""

from collections.abc import Sequence

import numpy as np

from mercuric.accelerator.count.cycles import Cycles
from mercuric.accelerator.dataflows.dot_product import Timing
from mercuric.accelerator.dataflows.systolic import cycles as systolic
from mercuric.accelerator.dataflows.systolic.cycles import Dataflow, Folds, Gemm, ceil, shared_out
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.work import Product, Work


def cycles(
    accelerator: Accelerator, work: Work, products: Sequence[Product]
) -> dict[Product, dict[Timing, Cycles]]:
    """Cycles of some of a layer's products with and without reuse, in both timings.

    Raises:
        ValueError: a scope of the Hitmap has HITs and not one vector that they could reuse.
    """
    return systolic.cycles(accelerator, work, products, INPUT_STATIONARY)


def fold(accelerator: Accelerator, product: Product, gemm: Gemm) -> Folds:
    """Vectors are loaded, a column of PEs each; in dW a row each, and their gradients stream.

    HITs pass their port in groups as wide as a fold's vectors, and a group takes as long as the fold's
    own vectors do.
    """
    rows, columns = accelerator.rows, accelerator.columns
    width, of_vectors, others = columns, gemm.M, ceil(gemm.K, rows)
    if product == "weight_gradient":
        width, of_vectors, others = rows, gemm.K, ceil(gemm.M, columns)
    count, groups = shared_out(ceil(gemm.hits, width), ceil(of_vectors, width))
    passes = np.maximum(groups, 1)
    load = rows * (passes if product == "input_gradient" else np.ones_like(passes))
    stream = gemm.N[:, None] * (np.ones_like(passes) if product == "input_gradient" else passes)
    lead = stream - gemm.N[:, None] if product == "weight_gradient" else np.zeros_like(stream)
    return systolic.folds(
        count * others[:, None],
        load=load,
        stream=stream,
        lead=lead,
        latency=lead + rows - 1,
        leaving=stream - lead,
    )


INPUT_STATIONARY = Dataflow(fold, loads_vectors=True)
