"""How many cycles does a product take on a weight-stationary systolic array?

K rows by N columns of the second operand sit in the PEs, and the rows of the first stream through
(paper IV: the random filters are the first filters, and a HIT is not broadcast).
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
    return systolic.cycles(accelerator, work, products, WEIGHT_STATIONARY)


def fold(accelerator: Accelerator, product: Product, gemm: Gemm) -> Folds:
    """Vectors stream in the forward product and in dO; in dW they are loaded, a row of PEs a vector."""
    rows, columns = accelerator.rows, accelerator.columns
    if product == "weight_gradient":
        count, hits = shared_out(gemm.hits, ceil(gemm.K, rows))
        return systolic.folds(
            count * ceil(gemm.N, columns)[:, None],
            load=np.maximum(hits, rows),
            stream=gemm.M[:, None],
            latency=rows - 1,
            leaving=gemm.M[:, None],
        )
    misses, stream = gemm.M[:, None], np.maximum(gemm.M, gemm.hits)[:, None]
    lead = stream - misses if product == "input_gradient" else np.zeros_like(misses)
    return systolic.folds(
        (ceil(gemm.K, rows) * ceil(gemm.N, columns))[:, None],
        load=rows,
        stream=stream,
        lead=lead,
        latency=lead + rows - 1,
        leaving=stream - lead,
    )


WEIGHT_STATIONARY = Dataflow(fold, loads_vectors=False)
