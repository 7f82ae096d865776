"""How many cycles should an asynchronous circuit take, and what does its Hitmap say? By the recurrence."""

import numpy as np
import torch
from torch import Tensor

from mercuric.accelerator.dataflows.row_stationary.asynchronous import AsynchronousProduct
from mercuric.accelerator.dataflows.row_stationary.cycles import product_pace, signature_pace
from mercuric.accelerator.dataflows.row_stationary.late_hits import Turns
from mercuric.accelerator.dataflows.row_stationary.pe_sets import (
    block_lengths,
    block_owners,
    misses_of_sets,
)
from mercuric.accelerator.dataflows.row_stationary.signature_queues import SignatureQueues
from mercuric.reuse.vectors import VectorShape
from mercuric.rtl.arrival import arrived, in_step
from mercuric.rtl.parameters import Parameters
from mercuric.similarity import Hitmap


def saved_cycles(circuit: Parameters, shape: VectorShape, hitmap: Hitmap, order: Tensor) -> int:
    """Cycles of a layer whose Hitmap the circuit is given, with an input buffer for each scope.

    Args:
        circuit: sizes and options.
        shape: of the layer.
        hitmap: by raster.
        order: int64, (scopes, vectors), or (1, vectors): each vector after its representative.
    """
    product, turns = _product(circuit, shape, hitmap, order)
    return product.cycles(turns=turns)


def signed_cycles(circuit: Parameters, shape: VectorShape, signatures: Tensor) -> tuple[Hitmap, Tensor, int]:
    """The Hitmap of a layer whose PE sets sign by themselves, the order in which they do, and the cycles.

    Sets drift apart as they multiply, so each scope has an order of its own. It depends on the Hitmaps of
    scopes before it alone: what is right of the first ones makes the next one right.

    Args:
        circuit: sizes and options.
        shape: of the layer.
        signatures: int64, (scopes, vectors).
    """
    lengths, pace = block_lengths(shape.vectors, circuit.sets), signature_pace(circuit.accelerator(), shape)
    cache_sets = (signatures % circuit.cache_sets).numpy()
    queues = SignatureQueues(cache_sets, lengths, pace.interval, circuit.queue)
    order, found = torch.empty(0), in_step(circuit, shape.vectors).expand_as(signatures)
    while not torch.equal(order, found):
        order = found
        hitmap = arrived(circuit, signatures, order)
        product, turns = _product(circuit, shape, hitmap, order)
        signing = circuit.bits * lengths, pace, queues, turns
        found = torch.tensor(product.by_definition(*signing)[1])
    return hitmap, order, product.cycles(*signing)


def _product(
    circuit: Parameters, shape: VectorShape, hitmap: Hitmap, order: Tensor
) -> tuple[AsynchronousProduct, Turns | None]:
    owners, turns = block_owners(shape.vectors, circuit.sets), None
    if circuit.late_hits != "ready":
        members, recompute = np.arange(shape.scopes)[:, None], circuit.late_hits == "recompute"
        turns = Turns.checked(hitmap, owners, members, order.numpy(), recompute)
    product = AsynchronousProduct(
        misses_of_sets(hitmap.states, owners),
        block_lengths(shape.vectors, circuit.sets),
        shape.filters,
        circuit.versions,
        product_pace(circuit.accelerator(), shape, circuit.timing),
    )
    return product, turns
