"""What do the layers' cycles add up to?"""

from typing import TYPE_CHECKING, Any

from mercuric.accelerator.count.cycles import waiting_parts
from mercuric.accelerator.hardware import Accelerator

if TYPE_CHECKING:
    import pandas as pd

_PARTS = ("baseline", "mercury", "signature", "stall")


def totals(layers: "pd.DataFrame", accelerator: Accelerator) -> dict[str, Any]:
    """Cycles and speed-ups over all rows, ready for JSON.

    Args:
        layers: with the columns of ``CycleCounter.layers``.
        accelerator: what they were counted on; ``cycles`` leads with its timing's and has the other
            timing's beside it.

    Returns:
        ``cycles`` (accelerator, timing, baseline, mercury, signature, stall, cycles of both designs that wait
        for DRAM or link where these are bounded, and both timings by name) and
        ``speedup`` (paper, fair).
    """
    parts = [*_PARTS, *(part for part in waiting_parts(accelerator) if f"cycles_{part}" in layers)]
    paper = {part: round(layers[f"cycles_{part}"].sum()) for part in parts}
    fair = {part: round(layers[f"fair_{part}"].sum()) for part in parts}
    leading = paper if accelerator.timing == "paper" else fair
    named = {"accelerator": accelerator.name, "timing": accelerator.timing}
    return {
        "cycles": {**named, **leading, "paper": paper, "fair": fair},
        "speedup": {"paper": _speedup(paper), "fair": _speedup(fair)},
    }


def _speedup(cycles: dict[str, int]) -> float:
    return cycles["baseline"] / cycles["mercury"] if cycles["mercury"] else 1.0
