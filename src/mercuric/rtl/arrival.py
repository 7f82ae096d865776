"""Whose signature comes first, and what does the MCACHE say of all of them then? (paper III-B3, Fig. 9)"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mercuric.accelerator.dataflows.row_stationary.pe_sets import block_owners, interleaved
from mercuric.rtl.parameters import Parameters
from mercuric.similarity import Hitmap
from mercuric.trace.hitmaps.entry_ids import entry_ids


def in_step(circuit: Parameters, vectors: int) -> Tensor:
    """The vectors as PE sets bring their signatures that finish one each together: int64, (1, vectors)."""
    return torch.from_numpy(interleaved(block_owners(vectors, circuit.sets)))[None]


def arrived(circuit: Parameters, signatures: Tensor, order: Tensor) -> Hitmap:
    """The Hitmap of signatures that come in an order; vectors are numbered by raster.

    Args:
        circuit: whose MCACHE it is.
        signatures: int64, (scopes, vectors).
        order: int64, (scopes, vectors), or (1, vectors) for all: vectors as they come.
    """
    order = order.expand_as(signatures)
    found = circuit.mcache.access(signatures.gather(1, order))
    return Hitmap(
        torch.empty_like(found.states).scatter_(1, order, found.states),
        torch.empty_like(order).scatter_(1, order, order.gather(1, found.representatives)),
    )


def entries(circuit: Parameters, hitmap: Hitmap, cache_sets: Tensor, order: Tensor) -> NDArray[np.int64]:
    """The MCACHE entry of each vector's result, as the Hitmap's rows have it: (scopes, vectors).

    An MNU vector's is the first of its set.

    Args:
        circuit: whose MCACHE it is.
        hitmap: by raster, of signatures that came in ``order``.
        cache_sets: int64, (scopes, vectors): of each signature.
        order: int64, (scopes, vectors), or (1, vectors) for all.
    """
    order = order.expand_as(cache_sets)
    places = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).expand_as(order))
    sources = places.gather(1, hitmap.representatives).gather(1, order)
    found = entry_ids(
        Hitmap(hitmap.states.gather(1, order), sources), cache_sets.gather(1, order), circuit.mcache
    )
    by_raster: NDArray[np.int64] = np.empty_like(found)
    np.put_along_axis(by_raster, order.numpy(), found, axis=1)
    return by_raster
