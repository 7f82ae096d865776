"""What is said of a training in principal directions?"""

import pandas as pd
from rich.table import Table

from mercuric.page.chart import MERCURY
from mercuric.page.parts import Card, Section
from mercuric.studies.train.figure import Figure
from mercuric.studies.train.summary_file import Directions, Summary
from mercuric.studies.train.words.direction_layers import (
    direction_section,
    direction_table,
    directions_over_seeds,
)
from mercuric.studies.train.words.words import Words, is_loss, pace, score_card, speedup_card, time_card


class DirectionsWords(Words):
    """Outputs are computed in their first principal directions; what is gained is seconds."""

    name = "directions"
    trained = "in directions"
    colour = MERCURY
    timed = True
    plainly = "as a plain network"
    meaning = "the weights that were trained, every layer dense"

    def claim(self, summary: Summary, run: str) -> tuple[str, bool]:
        """See :meth:`Words.claim`: seconds."""
        ratio = summary.seconds_ratio(run)
        if ratio is None:
            return "", False
        return f"In directions {summary.network} trains {pace(ratio)} on this machine", not is_loss(ratio)

    def lead(self, summary: Summary, run: str) -> str:
        """See :meth:`Words.lead`."""
        return (
            f"{_directions(summary, run).written} layers computed in directions when training ended; no "
            "vectors were compared, so there are no HITs and no simulated cycles."
        )

    def cards(self, summary: Summary, run: str) -> list[Card]:
        """See :meth:`Words.cards`: score, seconds and layers."""
        directions = _directions(summary, run)
        how = "directions in PyTorch" if summary.seconds.dense is None else "in PyTorch"
        return [
            score_card(summary, run, self.trained),
            speedup_card(summary, run),
            Card("Layers in directions", directions.written, f"rank {directions.wanted}"),
            time_card(summary, run, how),
        ]

    def figures(self, summary: Summary, run: str) -> list[Figure]:
        """See :meth:`Words.figures`: directions, and that there are no HITs."""
        directions = _directions(summary, run)
        return [
            Figure("directions a layer", {run: directions.wanted}),
            Figure("layers in directions at the end", {run: directions.written}),
            Figure("hit rate", {run: "none: no vectors compared"}),
            Figure("cycles", {run: "not simulated"}),
        ]

    def measured(self) -> list[tuple[str, str]]:
        """See :meth:`Words.measured`."""
        return [("Directions", _DIRECTIONS)]

    def clock(self, summary: Summary, run: str) -> str:  # noqa: ARG002
        """See :meth:`Words.clock`."""
        return "Estimating directions and measuring layers is included."

    def over_seeds(self, layers: pd.DataFrame) -> pd.DataFrame:
        """See :meth:`Words.over_seeds`."""
        return directions_over_seeds(layers)

    def section(self, layers: pd.DataFrame) -> Section:
        """See :meth:`Words.section`."""
        return direction_section(layers)

    def table(self, layers: pd.DataFrame) -> Table:
        """See :meth:`Words.table`."""
        return direction_table(layers)


def _directions(summary: Summary, run: str) -> Directions:
    directions = summary.compared[run].directions
    assert directions is not None  # noqa: S101 - it was trained in them
    return directions


_DIRECTIONS = (
    "Each layer's outputs are computed in their first principal directions, which are estimated from the "
    "first dense pass; a layer that was not measured to be faster so, or would lose too much, is dense. No "
    "vectors are compared: there are no HITs, and no cycles of an accelerator are simulated. Relative output "
    "error: the distance of a layer's outputs from dense ones on the vectors that directions were "
    "estimated from, divided by the size of the dense ones."
)
