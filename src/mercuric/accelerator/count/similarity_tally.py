"""How similar were each layer's vectors, over many batches?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.calls import RunFacts
from mercuric.trace.layer_call import LayerCall

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = float("nan")


@dataclass
class _Layer:
    kind: str
    bits: int = 0
    hit: int = 0
    mau: int = 0
    mnu: int = 0
    zero: int = 0
    zero_hits: int = 0
    on: bool = False

    def add(self, hitmap: Hitmap, zero: Tensor | None, bits: int) -> None:
        counts = torch.bincount(hitmap.states.flatten(), minlength=len(HitState)).tolist()
        self.hit += counts[HitState.HIT]
        self.mau += counts[HitState.MAU]
        self.mnu += counts[HitState.MNU]
        if zero is not None:
            self.zero += int(zero.count_nonzero())
            self.zero_hits += int((zero & hitmap.hits).count_nonzero())
        self.bits, self.on = bits, True


class SimilarityTally:
    """Sums over the forward calls of each layer."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}

    def add(self, call: LayerCall) -> None:
        """Count one call; those of gradient vectors are left out."""
        if call.product != "forward":
            return
        layer = self._layers.setdefault(call.layer, _Layer(call.kind))
        if call.work.hitmap is not None:
            layer.add(call.work.hitmap, call.zero, call.work.bits)

    def layers(self, facts: RunFacts) -> "pd.DataFrame":
        """A layer a row, with the columns of ``ReuseHandle.report``, in the facts' order."""
        import pandas as pd

        known = (name for name in facts.order if name in self._layers)
        names = list(dict.fromkeys([*known, *self._layers]))
        rows = [
            {
                "layer": name,
                "kind": layer.kind,
                "vectors": layer.hit + layer.mau + layer.mnu,
                "bits": layer.bits,
                "HIT": layer.hit,
                "MAU": layer.mau,
                "MNU": layer.mnu,
                "zero": layer.zero,
                "zero_hits": layer.zero_hits,
                "error": facts.errors.get(name, UNKNOWN),
                "on": layer.on,
                **facts.counts.get(name, {}),
            }
            for name, layer in ((name, self._layers[name]) for name in names)
        ]
        return pd.DataFrame(rows)
