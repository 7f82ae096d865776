"""How many cycles does each layer of a network take on every array?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mercuric.accelerator import Accelerator
from mercuric.accelerator.count.countable import countable_hitmaps, require_countable
from mercuric.accelerator.count.cycles import TrainingCycles
from mercuric.accelerator.count.layer_cycles import observed_cycles
from mercuric.accelerator.count.similarity_tally import SimilarityTally
from mercuric.accelerator.dataflows.dot_product import TIMINGS, Timing
from mercuric.progress import Progress, silent
from mercuric.studies.speedups.assumptions.sums import layer_columns, signature_column
from mercuric.trace.calls import RunFacts
from mercuric.trace.hitmaps.saved import saved_calls
from mercuric.trace.layer_call import LayerCall

Counted = dict[Timing, TrainingCycles]


@dataclass
class ArrayCounts:
    """Cycles of a network's layers on several arrays, which see the same Hitmaps.

    Attributes:
        accelerators: the arrays, by name.
    """

    accelerators: Mapping[str, Accelerator]
    _layers: dict[str, list[Counted]] = field(default_factory=dict)
    _similarity: SimilarityTally = field(default_factory=SimilarityTally)
    _reloaded: dict[str, bool] = field(default_factory=dict)

    def add(self, call: LayerCall) -> None:
        """Count a call on every array.

        Raises:
            ValueError: an array is too small for the layer's vectors, or needs more than is known of it.
        """
        nothing = {timing: TrainingCycles() for timing in TIMINGS}
        before = self._layers.get(call.layer, [nothing] * len(self.accelerators))
        self._layers[call.layer] = [
            {timing: cycles[timing] + more[timing] for timing in TIMINGS}
            for cycles, more in zip(before, self._counted(call), strict=True)
        ]
        self._similarity.add(call)
        self._reloaded[call.layer] = bool(call.reloaded)

    def table(self, facts: RunFacts) -> pd.DataFrame:
        """A row a layer and array (``array``, its name).

        Columns: ``layer``, ``kind``, ``vectors``, ``HIT``, ``reloaded`` (whether the following layer's
        signatures serve its gradient vectors), and cycles as :func:`~.sums.layer_columns` and
        :func:`~.sums.signature_column` name them.
        """
        similar = self._similarity.layers(facts)[["layer", "kind", "vectors", "HIT"]]
        rows = [
            {"array": array, "layer": layer, "reloaded": self._reloaded[layer], **_columns(counted)}
            for layer, arrays in self._layers.items()
            for array, counted in zip(self.accelerators, arrays, strict=True)
        ]
        return similar.merge(pd.DataFrame(rows), how="left")

    def _counted(self, call: LayerCall) -> Iterator[Counted]:
        for accelerator in self.accelerators.values():
            require_countable(call, accelerator)
            yield observed_cycles(
                accelerator, call.work, call.product, needs_input_gradient=call.needs_input_gradient
            )


def count_recorded(
    path: Path, accelerators: Mapping[str, Accelerator], progress: Progress = silent
) -> pd.DataFrame:
    """Count recorded Hitmaps on all arrays.

    Args:
        path: a Parquet file of Hitmaps.
        accelerators: the arrays, by name.
        progress: told after each call.

    Returns:
        :meth:`ArrayCounts.table`.

    Raises:
        ValueError: an array has another MCACHE than the Hitmaps, or asks for more than was recorded.
        MercuricError: the file is missing or damaged.
    """
    saved, *_ = [countable_hitmaps(path, accelerator) for accelerator in accelerators.values()]
    counts, layers, told = ArrayCounts(accelerators), len(saved.facts.order), 0

    def tell(call: LayerCall) -> None:
        nonlocal told
        told += 1
        progress(min(told, layers), layers, call.layer)

    return counts.table(saved_calls(saved).tell(counts.add, tell))


def _columns(counted: Counted) -> dict[str, int]:
    columns: dict[str, int] = {}
    for timing, cycles in counted.items():
        for products, one in (("forward", cycles.forward), ("training", cycles.total)):
            sides = (one.baseline, one.mercury)
            columns |= dict(zip(layer_columns(products, timing), sides, strict=True))
        signed = cycles.forward.signature if cycles.input_gradient.baseline else 0
        columns[signature_column(timing)] = signed  # a vector of the gradient has as many bits
    return columns
