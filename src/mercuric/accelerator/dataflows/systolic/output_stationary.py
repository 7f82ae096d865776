"""How many cycles does a product take on an output-stationary systolic array?

Each PE sums up one output; rows of the first operand enter from the left, columns of the second from the
top. The vectors that hit leave their rows of PEs to the next ones.
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
    return systolic.cycles(accelerator, work, products, OUTPUT_STATIONARY)


def fold(accelerator: Accelerator, product: Product, gemm: Gemm) -> Folds:
    """A row of PEs sums up a vector's outputs; in dW vectors are what streams through."""
    rows, columns = accelerator.rows, accelerator.columns
    if product == "weight_gradient":
        stream = np.maximum(gemm.K, gemm.hits)[:, None]
        count = (ceil(gemm.M, rows) * ceil(gemm.N, columns))[:, None]
        return systolic.folds(count, load=0, stream=stream, latency=stream - 1, leaving=rows)
    enters = product == "input_gradient"
    passing = ceil(gemm.hits, rows) if enters else gemm.hits
    count, share = shared_out(passing, ceil(gemm.M, rows))
    stream = gemm.K[:, None] * (np.maximum(share, 1) if enters else 1)
    return systolic.folds(
        count * ceil(gemm.N, columns)[:, None],
        load=0,
        stream=stream,
        latency=stream - 1,
        leaving=rows if enters else np.maximum(share, rows),
    )


OUTPUT_STATIONARY = Dataflow(fold, loads_vectors=False)
