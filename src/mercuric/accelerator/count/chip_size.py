"""How large must the chip be for the layers of a run?"""

from typing import Any

from mercuric.accelerator.arrays import shares
from mercuric.accelerator.dataflows.registry import dataflow_of
from mercuric.accelerator.energy.area import AREA_45NM, chip_area
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.layer_call import LayerCall


class ChipSize:
    """Notes what the largest layers ask of MERCURY's memories.

    Args:
        accelerator: whose chip it is.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._largest = {"vectors": 0, "bits": 0, "results": 0, "mcaches": 0}

    def add(self, call: LayerCall) -> None:
        """Note one call."""
        dataflow, (largest, *_) = dataflow_of(self._accelerator), shares(self._accelerator, call.work)
        layer = (self._accelerator, largest.work.shape, call.work.kind)
        sizes = {
            "vectors": call.work.shape.vectors,
            "bits": call.work.bits,
            "results": dataflow.results(*layer),
            "mcaches": dataflow.mcaches(*layer),
        }
        self._largest = {name: max(size, self._largest[name]) for name, size in sizes.items()}

    def area(self) -> dict[str, float] | None:
        """mm2 of each part of the chip, as large as these layers need; None where it has no known area."""
        if self._unknown():
            return None
        vectors, bits, results, mcaches = self._largest.values()
        return chip_area(self._accelerator, vectors, bits, results=results, mcaches=mcaches)

    def summary(self) -> dict[str, Any]:
        """The area, or why there is none, ready for JSON."""
        return {"area_mm2": self.area(), "area_unknown": self._unknown()}

    def _unknown(self) -> str | None:
        if self._accelerator.entries is None:
            return "an unlimited MCACHE has no area"
        if self._accelerator.word_bits != AREA_45NM.word_bits:
            return f"areas are known of words of {AREA_45NM.word_bits} bits alone"
        return None if self._largest["bits"] else "no layer reuses, so that no signature has a length"
