"""What is an output-stationary systolic array?

Each PE sums up one output; rows of the first operand enter from the left, columns of the second from the
top. The vectors that hit leave their rows of PEs to the next ones.
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
    """A row of PEs sums up a vector's outputs; in dW vectors are what streams through."""
    rows, columns = accelerator.rows, accelerator.columns
    if product == "weight_gradient":
        stream = np.maximum(gemm.K + gemm.skipped, gemm.passing)[:, None]
        count = (ceil(gemm.M, rows) * ceil(gemm.N, columns))[:, None]
        return systolic.folds(count, load=0, stream=stream, latency=stream - 1, leaving=rows)
    enters = product == "input_gradient"
    passing = ceil(gemm.passing, rows) if enters else gemm.passing
    count, share, skipped = shared_out(ceil(gemm.M, rows), passing, gemm.skipped)
    stream = gemm.K[:, None] * (np.maximum(share, 1) if enters else 1)
    return systolic.folds(
        count * ceil(gemm.N, columns)[:, None],
        load=skipped,
        stream=stream,
        latency=stream - 1,
        leaving=rows if enters else np.maximum(share, rows),
    )


def traffic(of: MatrixProduct) -> ArrayTraffic:
    """Sums are read and written in the registers; vectors and weights come from a neighbour or the edge."""
    weights = of.length * of.filters * of.tall(of.rows)
    visits = Words(of.streamed * of.length * of.wide, weights, of.streamed * of.filters)
    moved = 2 * of.macs - visits.inputs - visits.weights
    return ArrayTraffic(of.macs, 2 * of.macs, moved, visits, 1, of.wide)


OUTPUT_STATIONARY = Systolic("output", Folding(fold, chooses_before_load=True, queues=True), traffic)
