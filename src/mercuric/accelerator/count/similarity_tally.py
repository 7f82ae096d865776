"""How similar were each layer's vectors, over many batches?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from mercuric.accelerator.hardware import Accelerator
from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.trace.calls import RunFacts
from mercuric.trace.layer_call import LayerCall

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = float("nan")
Gradient = Literal["none", "dense", "forward", "forward, reloadable", "reloaded", "own"]
"""By whose Hitmap a layer's dO goes. There is no dO; by none; by that of the forward pass; by this, with
signatures that the following layer's serve; by that of the following layer; by one of gradient vectors."""


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
    gradient: Gradient = "none"

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
    """Sums over the forward calls of each layer.

    Args:
        accelerator: what is simulated, if anything: where it reloads signatures for dO by the forward pass's
            Hitmap, it is noted for which layers it can.
    """

    def __init__(self, accelerator: Accelerator | None = None) -> None:
        self._layers: dict[str, _Layer] = {}
        self._reloads = accelerator is not None and accelerator.gradient_signatures == "reload"

    def add(self, call: LayerCall) -> None:
        """Count one call; of one of gradient vectors only whose signatures they have."""
        layer = self._layers.setdefault(call.layer, _Layer(call.kind))
        if call.product != "forward" or call.needs_input_gradient:
            layer.gradient = self._gradient(call)
        if call.product != "forward":
            return
        if call.work.hitmap is not None:
            layer.add(call.work.hitmap, call.zero, call.work.bits)

    def _gradient(self, call: LayerCall) -> Gradient:
        if call.work.hitmap is None:
            return "dense"
        if call.product == "input_gradient":
            return "reloaded" if call.reloaded else "own"
        return "forward, reloadable" if self._reloads and call.reloaded else "forward"

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
                "gradient": layer.gradient,
                **facts.counts.get(name, {}),
            }
            for name, layer in ((name, self._layers[name]) for name in names)
        ]
        return pd.DataFrame(rows)


def gradient_figures(layers: "pd.DataFrame", accelerator: Accelerator) -> dict[str, Any]:
    """By whose Hitmaps dO goes and which of their signatures it pays for, ready for JSON.

    Args:
        layers: with the column ``gradient`` of :class:`SimilarityTally`.
        accelerator: what was simulated.

    Returns:
        ``signatures``: the accelerator's ``gradient_signatures``; ``layers``: with a dO that reuses; ``own``:
        of these, by Hitmaps of gradient vectors; ``reloaded``: of these, those that the following layer's
        signatures serve, None where nobody looked.
    """
    by = layers["gradient"]
    own = int(by.isin(["own", "reloaded"]).sum())
    served = int(by.isin(["reloaded", "forward, reloadable"]).sum())
    looked = own or accelerator.gradient_signatures == "reload"
    every = int((~by.isin(["none", "dense"])).sum())
    named = {"signatures": accelerator.gradient_signatures, "layers": every, "own": own}
    return {**named, "reloaded": served if looked else None}
