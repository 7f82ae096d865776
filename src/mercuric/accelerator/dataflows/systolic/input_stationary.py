"""What is an input-stationary systolic array?

Rows of the first operand sit in the PEs, one in a column, and the columns of the second stream through
(paper IV: a vector that hits is not loaded again once its signature is known).
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
    """Vectors are loaded, a column of PEs each; in dW a row each, and their gradients stream.

    HITs pass their port in groups as wide as a fold's vectors, and a group takes as long as the fold's
    own vectors do.
    """
    rows, columns = accelerator.rows, accelerator.columns
    width, of_vectors, others = columns, gemm.M, ceil(gemm.K, rows)
    if product == "weight_gradient":
        width, of_vectors, others = rows, gemm.K, ceil(gemm.M, columns)
    count, groups, skipped = shared_out(ceil(of_vectors, width), ceil(gemm.passing, width), gemm.skipped)
    passes = np.maximum(groups, 1)
    entering = passes if product == "input_gradient" else np.ones_like(passes)
    load = np.maximum(rows * entering, rows + skipped)
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


def traffic(of: MatrixProduct) -> ArrayTraffic:
    """Vectors are loaded into the registers; weights and sums come from a neighbour or the edge."""
    weights = of.length * of.filters * of.tall(of.columns)
    visits = Words(of.streamed * of.length, weights, of.streamed * of.filters * of.folds)
    moved = 2 * of.macs - visits.weights - visits.outputs
    return ArrayTraffic(of.macs, of.macs + visits.inputs, moved, visits, of.folds, of.folds)


INPUT_STATIONARY = Systolic("input", Folding(fold, chooses_before_load=True, queues=False), traffic)
