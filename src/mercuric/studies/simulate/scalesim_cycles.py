"""What does SCALE-Sim itself count for the same products, with reuse and without?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from mercuric.accelerator import Accelerator
from mercuric.errors import ArgumentError
from mercuric.progress import Progress, silent
from mercuric.trace.layer_call import LayerCall

Gemm = tuple[int, int, int]
"""M, K, N: rows of vectors, their length, and filters."""

"""Called with the products that have run, and all of them."""

PARTS = ("dense", "scoped", "product", "signature")


@dataclass
class LayerGemms:
    """One layer's forward products as matrix products; how often each runs.

    Attributes:
        dense: whole convolution groups, as SCALE-Sim counts a layer.
        scoped: one a scope, with all of its vectors: what MERCURY is compared with in the paper's timing.
        product: one a scope, with the vectors that miss.
        signature: one a scope, with the random filters.
    """

    dense: Counter[Gemm] = field(default_factory=Counter)
    scoped: Counter[Gemm] = field(default_factory=Counter)
    product: Counter[Gemm] = field(default_factory=Counter)
    signature: Counter[Gemm] = field(default_factory=Counter)

    def add(self, call: LayerCall) -> None:
        """Note one call; with reuse off, what MERCURY runs is what the baseline does."""
        shape, hitmap = call.work.shape, call.work.hitmap
        groups = shape.scopes // (shape.images * shape.depth)
        self.dense[shape.vectors * shape.images, shape.length * shape.depth, shape.filters] += groups
        scoped = (shape.vectors, shape.length, shape.filters)
        self.scoped[scoped] += shape.scopes
        if hitmap is None:
            self.product[scoped] += shape.scopes
            return
        for misses in (hitmap.states.shape[1] - hitmap.hits.sum(dim=1)).tolist():
            self.product[misses, shape.length, shape.filters] += 1
        if call.work.bits:
            self.signature[shape.vectors, shape.length, call.work.bits] += shape.scopes


class ScaleSimCycles:
    """Listens to layer calls, and runs SCALE-Sim once for each product of another size.

    Args:
        accelerator: whose array and dataflow SCALE-Sim gets.

    Raises:
        ValueError: SCALE-Sim does not know the accelerator's dataflow, or ``baseline_depth`` is set.
        MercuricError: SCALE-Sim is not installed.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        from mercuric.accelerator.engines.scalesim import gemm_cycles

        if accelerator.baseline_depth is not None:
            raise ArgumentError(
                f"baseline_depth of accelerator {accelerator.name!r} was {accelerator.baseline_depth!r}, but "
                "must be None where SCALE-Sim counts too: each timing's baseline stands beside one of its own"
            )
        self._cycles_of = gemm_cycles(accelerator)
        self._layers: dict[str, LayerGemms] = {}

    def add(self, call: LayerCall) -> None:
        """Note one call; those of gradient vectors are left out."""
        if call.product == "forward":
            self._layers.setdefault(call.layer, LayerGemms()).add(call)

    def layers(self, progress: Progress = silent) -> pd.DataFrame:
        """A layer a row: ``layer``, and cycles of its forward products: ``scalesim_dense``, ``_scoped``,
        ``_product`` and ``_signature``, as :class:`LayerGemms` says."""
        known = self._run(progress)
        rows = [
            {"layer": name, **{f"scalesim_{part}": _sum(getattr(gemms, part), known) for part in PARTS}}
            for name, gemms in self._layers.items()
        ]
        return pd.DataFrame(rows, columns=["layer", *(f"scalesim_{part}" for part in PARTS)])

    def _run(self, progress: Progress) -> dict[Gemm, int]:
        wanted = list(dict.fromkeys(self._all()))
        known = {}
        for done, gemm in enumerate(wanted):
            progress(done, len(wanted))
            known[gemm] = self._cycles_of(*gemm) if all(gemm) else 0
        progress(len(wanted), len(wanted))
        return known

    def _all(self) -> Iterable[Gemm]:
        for gemms in self._layers.values():
            for part in PARTS:
                yield from getattr(gemms, part)


def _sum(gemms: Counter[Gemm], known: dict[Gemm, int]) -> int:
    return sum(times * known[gemm] for gemm, times in gemms.items())
