"""What must a page and a terminal know of a method to tell of a training by it?"""

from typing import ClassVar, Protocol

import pandas as pd
from rich.table import Table

from mercuric.page import formats
from mercuric.page.parts import Card, Section
from mercuric.studies.train.figure import Figure
from mercuric.studies.train.summary_file import Summary


class Words(Protocol):
    """How a training by a method is told; it holds nothing. ``run`` is its name in the summary.

    Attributes:
        name: the method, as columns and legends name it.
        trained: how the network was trained, as a sentence says it.
        colour: of its lines.
        timed: whether its seconds are compared.
        plainly: how its weights were evaluated without the method.
        meaning: what that is.
    """

    name: ClassVar[str]
    trained: ClassVar[str]
    colour: ClassVar[str]
    timed: ClassVar[bool]
    plainly: ClassVar[str]
    meaning: ClassVar[str]

    def claim(self, summary: Summary, run: str) -> tuple[str, bool]:
        """What was gained or lost, as a sentence begins, and whether it is good; "" where none is known."""

    def lead(self, summary: Summary, run: str) -> str:
        """The sentences that the claim rests on."""

    def cards(self, summary: Summary, run: str) -> list[Card]:
        """The key figures."""

    def figures(self, summary: Summary, run: str) -> list[Figure]:
        """The method's own rows of the comparison."""

    def loss_note(self, summary: Summary, run: str) -> str:  # noqa: ARG002 - for those that promise something
        """What is to be seen where the losses are drawn."""
        return ""

    def measured(self) -> list[tuple[str, str]]:
        """How its figures were measured."""

    def clock(self, summary: Summary, run: str) -> str:
        """What its seconds mean."""

    def over_seeds(self, layers: pd.DataFrame) -> pd.DataFrame:
        """One row a layer of the file of its layers.

        Raises:
            ValueError: a column is missing, or a cell is wrong.
        """

    def section(self, layers: pd.DataFrame) -> Section:
        """Layer by layer, of the rows of :meth:`over_seeds`; without parts where there are none."""

    def table(self, layers: pd.DataFrame) -> Table:
        """The same for the terminal, of the file's rows.

        Raises:
            ValueError: as :meth:`over_seeds`.
        """


def pace(speedup: float) -> str:
    """A speed-up as a sentence says it."""
    if round(speedup, 2) == 1:
        return "no faster (1.00x)"
    return f"{formats.ratio(speedup)} faster" if speedup > 1 else f"slower ({formats.ratio(speedup)})"


def is_loss(speedup: float | None) -> bool:
    """Whether a speed-up is none."""
    return speedup is not None and round(speedup, 2) < 1


def score_card(summary: Summary, run: str, trained: str) -> Card:
    """The score of a training that reuses, beside the dense one."""
    metric, change, part = summary.metric, summary.score_change(run), summary.compared[run]
    label, reached = f"Test {metric.name}", metric.written(part.score)
    if summary.dense is None or change is None:
        return Card(label, reached, trained)
    beside = f"{metric.change(change)} to dense {metric.written(summary.dense.score)}"
    return Card(label, reached, beside, bad=change < -max(summary.dense.spread or 0.0, part.spread or 0.0))


def speedup_card(summary: Summary, run: str) -> Card:
    """Dense seconds over those of a training."""
    ratio = summary.seconds_ratio(run)
    return Card("Speed-up in seconds", formats.ratio(ratio), "dense seconds over these", bad=is_loss(ratio))


def time_card(summary: Summary, run: str, how: str) -> Card:
    """The seconds of a training."""
    dense, seconds = (formats.duration(one) for one in (summary.seconds.dense, summary.seconds_of(run)))
    return Card("Training time", seconds, how if dense == formats.MISSING else f"{how}; dense {dense}")
