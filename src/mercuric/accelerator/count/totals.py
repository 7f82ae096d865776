"""What do the layers' cycles add up to?"""

from typing import TYPE_CHECKING, Any

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
        ``cycles`` (accelerator, timing, baseline, mercury, signature, stall, and both timings by name) and
        ``speedup`` (paper, fair).
    """
    paper = {part: round(layers[f"cycles_{part}"].sum()) for part in _PARTS}
    fair = {part: round(layers[f"fair_{part}"].sum()) for part in _PARTS}
    leading = paper if accelerator.timing == "paper" else fair
    named = {"accelerator": accelerator.name, "timing": accelerator.timing}
    return {
        "cycles": {**named, **leading, "paper": paper, "fair": fair},
        "speedup": {"paper": _speedup(paper), "fair": _speedup(fair)},
    }


def _speedup(cycles: dict[str, int]) -> float:
    return cycles["baseline"] / cycles["mercury"] if cycles["mercury"] else 1.0
