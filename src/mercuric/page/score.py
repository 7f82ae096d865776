"""How is a network's score written, be it an accuracy or a BLEU?"""

import math
from dataclasses import dataclass
from typing import Literal

from mercuric.page.formats import MISSING

MetricName = Literal["accuracy", "bleu"]
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Metric:
    """What a score measures; a point is a hundredth of the way from the worst score to the best.

    Attributes:
        name: as a sentence says it.
        points: in a score of 1.
        unit: written after a score.
        meaning: what the score is, for the methods.
        tick: Plotly's format of a score on an axis, without decimals and with one.
    """

    name: str
    points: int
    unit: str
    meaning: str
    tick: tuple[str, str]

    def written(self, score: float | None, unit: bool = True) -> str:
        """A score: ``87.31 %``, ``27.31``; two decimals because a test set of 10,000 images resolves them."""
        if score is None or not math.isfinite(score):
            return MISSING
        return f"{self.points * score:.2f}{self.unit if unit else ''}"

    def width(self, difference: float | None) -> str:
        """A width between scores, without a sign: ``0.42 points``."""
        if difference is None or not math.isfinite(difference):
            return MISSING
        return f"{abs(self.points * difference):.2f} points"

    def change(self, difference: float | None) -> str:
        """A change of the score: ``+0.42 points``."""
        if difference is None or not math.isfinite(difference):
            return MISSING
        sign = "±" if self.is_nothing(difference) else "+" if difference > 0 else _MINUS
        return sign + self.width(difference)

    def is_nothing(self, difference: float) -> bool:
        """Whether a change is written as 0.00 points."""
        return round(abs(self.points * difference), 2) == 0


METRICS: dict[MetricName, Metric] = {
    "accuracy": Metric(
        name="accuracy",
        points=100,
        unit=" %",
        meaning="The share of test images classified right at the end of training",
        tick=(".0%", ".1%"),
    ),
    "bleu": Metric(
        name="BLEU",
        points=1,
        unit="",
        meaning="BLEU of the test sentences' translations at the end of training, from 0 to 100",
        tick=(".0f", ".1f"),
    ),
}
