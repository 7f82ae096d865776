"""Which of a network's cycles make its speed-up?"""

from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from mercuric.accelerator.dataflows.dot_product import COLUMN_PREFIXES, Timing
from mercuric.errors import ArgumentError

SIDES = ("baseline", "mercury")


@dataclass(frozen=True)
class Sum:
    """A choice of cycles.

    Attributes:
        products: of the forward product alone, or of all three of a training step.
        layers: of ``"all"`` layers, or of the ``"convolutions"`` alone.
        losing: whether a layer that takes longer with MERCURY is turned ``"off"`` (paper III-D), or left
            ``"on"``.
        baseline: the timing whose baseline is compared with. On PE sets dot products follow each other as in
            the paper's Fig. 8a, or overlap; other arrays fold the depth by channel, or whole.
        mercury: the timing of MERCURY's cycles. On PE sets it is the same; on other arrays HITs' results are
            there at once, or pass one port.
        gradients: which signatures of gradient vectors dO pays for (III-C2): ``"free"``: none; ``"reload"``:
            those of layers whose following layer's don't serve; ``"compute"``: all.

    Raises:
        ValueError: something else.
    """

    products: Literal["training", "forward"] = "training"
    layers: Literal["all", "convolutions"] = "all"
    losing: Literal["off", "on"] = "off"
    baseline: Timing = "paper"
    mercury: Timing = "paper"
    gradients: Literal["free", "reload", "compute"] = "free"

    def __post_init__(self) -> None:
        for name, field in self.__dataclass_fields__.items():
            known, value = get_args(field.type), getattr(self, name)
            if value not in known:
                raise ArgumentError(f"{name} was {value!r}, but must be {' or '.join(map(repr, known))}")

    def speedups(self, counted: pd.DataFrame, keys: list[str]) -> "pd.Series[float]":
        """Cycles of the baseline over MERCURY's, for each value of ``keys``.

        Args:
            counted: a row for each of ``keys`` and each ``layer``: its ``kind``, and the columns of
                :func:`layer_columns`.
            keys: names of columns.
        """
        rows = counted[counted["kind"] == "conv"] if self.layers == "convolutions" else counted
        baseline = rows[layer_columns(self.products, self.baseline)[0]]
        mercury = rows[layer_columns(self.products, self.mercury)[1]]
        if self.products == "training" and self.gradients != "free":
            pays = True if self.gradients == "compute" else ~rows["reloaded"]
            mercury = mercury + rows[signature_column(self.mercury)] * pays
        kept = mercury.where(mercury < baseline, baseline) if self.losing == "off" else mercury
        sums = pd.DataFrame({"baseline": baseline, "kept": kept}).groupby([rows[key] for key in keys]).sum()
        return (sums["baseline"] / sums["kept"]).rename("speedup")


def layer_columns(products: str, timing: Timing) -> list[str]:
    """The columns of a layer's cycles without and with reuse: ``forward_cycles_baseline`` and the like."""
    return [f"{products}_{COLUMN_PREFIXES[timing]}_{side}" for side in SIDES]


def signature_column(timing: Timing) -> str:
    """The column of the cycles that signatures of a layer's gradient vectors take."""
    return f"{COLUMN_PREFIXES[timing]}_gradient_signature"
