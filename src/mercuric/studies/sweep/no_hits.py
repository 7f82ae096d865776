"""What would a layer's call take with reuse that finds nothing, and computes no signature for it?

What is saved then is not reuse's: it tells whether an array's two sides are compared on equal terms.
"""

from dataclasses import replace

import torch

from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.layer_call import LayerCall


def without_hits(call: LayerCall) -> LayerCall:
    """The same call, every vector of which is computed (MNU); dense calls as they are."""
    work, size = call.work, (call.work.shape.scopes, call.work.shape.vectors)
    if work.hitmap is None:
        return call
    states = torch.tensor(HitState.MNU.value, dtype=torch.uint8).expand(size)
    hitmap = Hitmap(states, torch.arange(size[1]).expand(size))
    return replace(call, work=replace(work, hitmap=hitmap, bits=0), zero=None)
