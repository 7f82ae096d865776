"""What is a weight-stationary systolic array?

K rows by N columns of the second operand sit in the PEs, and the rows of the first stream through
(paper IV: the random filters are the first filters, and a HIT is not broadcast).
"""

import numpy as np

from mercuric.accelerator.dataflows.scopes import ceil, shared_out
from mercuric.accelerator.dataflows.systolic import cycles as systolic
from mercuric.accelerator.dataflows.systolic.cycles import Folding, Folds, Gemm
from mercuric.accelerator.dataflows.systolic.dataflow import Systolic
from mercuric.accelerator.dataflows.systolic.traffic import MatrixProduct
from mercuric.accelerator.dataflows.traffic import ArrayTraffic
from mercuric.accelerator.energy.operands import Words
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.work import Product


def fold(accelerator: Accelerator, product: Product, gemm: Gemm) -> Folds:
    """Vectors stream in the forward product and in dO; in dW they are loaded, a row of PEs a vector."""
    rows, columns = accelerator.rows, accelerator.columns
    if product == "weight_gradient":
        count, passing, skipped = shared_out(ceil(gemm.K, rows), gemm.passing, gemm.skipped)
        return systolic.folds(
            count * ceil(gemm.N, columns)[:, None],
            load=np.maximum(passing, rows + skipped),
            stream=gemm.M[:, None],
            latency=rows - 1,
            leaving=gemm.M[:, None],
        )
    misses, stream = gemm.M[:, None], np.maximum(gemm.M + gemm.skipped, gemm.passing)[:, None]
    lead = stream - misses if product == "input_gradient" else np.zeros_like(misses)
    return systolic.folds(
        (ceil(gemm.K, rows) * ceil(gemm.N, columns))[:, None],
        load=rows,
        stream=stream,
        lead=lead,
        latency=lead + rows - 1,
        leaving=stream - lead,
    )


def traffic(of: MatrixProduct) -> ArrayTraffic:
    """Weights are loaded into the registers; vectors and sums come from a neighbour or the edge."""
    loaded = int(np.count_nonzero(of.vectors)) * of.length * of.filters
    visits = Words(of.streamed * of.length * of.wide, loaded, of.streamed * of.filters * of.folds)
    moved = 2 * of.macs - visits.inputs - visits.outputs
    return ArrayTraffic(of.macs, of.macs + visits.weights, moved, visits, of.folds, of.folds * of.wide)


WEIGHT_STATIONARY = Systolic("weight", Folding(fold, chooses_before_load=False, queues=True), traffic)
