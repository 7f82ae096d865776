"""What is said of a training with exact reuse?"""

import pandas as pd
from rich.table import Table

from mercuric.page import formats
from mercuric.page.chart import EXACT
from mercuric.page.parts import Card, Section
from mercuric.studies.train.figure import Figure, written
from mercuric.studies.train.summary_file import Exact, LossDifference, Summary
from mercuric.studies.train.words.exact_layers import exact_over_seeds, exact_section, exact_table
from mercuric.studies.train.words.named_layers import named_layers
from mercuric.studies.train.words.words import Words, is_loss, pace, score_card, speedup_card, time_card


class ExactWords(Words):
    """Equal vectors are computed once; what is gained is seconds, at the same losses."""

    name = "exact reuse"
    trained = "with exact reuse"
    colour = EXACT
    timed = True
    plainly = "as a plain network"
    meaning = "the weights that were trained, every layer dense"

    def claim(self, summary: Summary, run: str) -> tuple[str, bool]:
        """See :meth:`Words.claim`: seconds, and how far the losses lie apart."""
        ratio, loss = summary.seconds_ratio(run), _exact(summary, run).loss
        if ratio is None:
            return "", False
        apart = "" if loss is None else f", its losses {_within(loss)} dense training's"
        return (
            f"With exact reuse {summary.network} trains {pace(ratio)} on this machine{apart}",
            not is_loss(ratio),
        )

    def lead(self, summary: Summary, run: str) -> str:
        """See :meth:`Words.lead`: equal vectors, products, and dense layers by name."""
        exact = _exact(summary, run)
        hits = formats.percent(summary.compared[run].hit_rate)
        said = [f"{hits} of the vectors were equal to an earlier one, whose result they took."]
        if exact.multiplied:
            said.append(
                f"{formats.percent(exact.multiplied)} of the dense network's multiply-accumulates were left, "
                f"which alone allows {formats.ratio(1 / exact.multiplied)}."
            )
        return " ".join([*said, _dense_layers(exact)])

    def cards(self, summary: Summary, run: str) -> list[Card]:
        """See :meth:`Words.cards`: seconds, losses, score, HITs and products."""
        exact = _exact(summary, run)
        how = "exact reuse in PyTorch" if summary.seconds.dense is None else "exact reuse"
        cards = [speedup_card(summary, run), time_card(summary, run, how)]
        if exact.loss is not None:
            beside = f"largest of {exact.loss.steps:,} steps; median {small(exact.loss.median)}"
            cards.append(Card("Difference of the losses", small(exact.loss.largest), beside))
        cards += [
            score_card(summary, run, self.trained),
            Card("Equal vectors", formats.percent(summary.compared[run].hit_rate), "were not computed again"),
        ]
        if exact.multiplied:
            allows = f"of the dense products: allows {formats.ratio(1 / exact.multiplied)}"
            cards.append(Card("Multiplied", formats.percent(exact.multiplied), allows))
        return cards

    def figures(self, summary: Summary, run: str) -> list[Figure]:
        """See :meth:`Words.figures`: losses, HITs, products and dense layers."""
        exact = _exact(summary, run)
        counts = sorted({len(names) for names in exact.dense})
        dense = " to ".join(map(str, dict.fromkeys([counts[0], counts[-1]])))
        return [
            *([] if exact.loss is None else _apart(exact.loss, run)),
            Figure("hit rate", {run: written(formats.percent(summary.compared[run].hit_rate))}),
            Figure("multiply-accumulates computed", {"dense": "100 %", run: _multiplied(exact)}),
            Figure("layers that were dense", {run: f"{dense} of {exact.layers}"}),
            *([] if exact.levels is None else [Figure("levels of the input", {run: str(exact.levels)})]),
        ]

    def loss_note(self, summary: Summary, run: str) -> str:
        """See :meth:`Words.loss_note`."""
        loss = _exact(summary, run).loss
        if loss is None:
            return ""
        return (
            f"Losses of exact reuse and of dense training differ by at most {small(loss.largest)}, in the "
            f"median by {small(loss.median)}."
        )

    def measured(self) -> list[tuple[str, str]]:
        """See :meth:`Words.measured`."""
        return [("Exact reuse", _EXACT), ("Multiply-accumulates", _MULTIPLIED), ("Losses", _LOSSES)]

    def clock(self, summary: Summary, run: str) -> str:  # noqa: ARG002
        """See :meth:`Words.clock`."""
        return "Looking at the input, finding classes and measuring layers is included."

    def over_seeds(self, layers: pd.DataFrame) -> pd.DataFrame:
        """See :meth:`Words.over_seeds`."""
        return exact_over_seeds(layers)

    def section(self, layers: pd.DataFrame) -> Section:
        """See :meth:`Words.section`."""
        return exact_section(layers)

    def table(self, layers: pd.DataFrame) -> Table:
        """See :meth:`Words.table`."""
        return exact_table(layers)


def small(value: float) -> str:
    """A small number in two digits: ``0.013``, ``3.1e-6``, ``0``."""
    if not value or value >= 1e-3:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _within(loss: LossDifference) -> str:
    return f"within {small(loss.largest)} of" if loss.largest else "equal to the bit to"


def _apart(loss: LossDifference, run: str) -> list[Figure]:
    return [
        Figure("largest difference of a loss to dense", {run: small(loss.largest)}),
        Figure("median difference", {run: small(loss.median)}, detail=True),
    ]


def _multiplied(exact: Exact) -> str:
    return written(formats.percent(exact.multiplied))


def _dense_layers(exact: Exact) -> str:
    names = list(dict.fromkeys(name for seed in exact.dense for name in seed))
    if exact.most is None:
        stop = "where times measured on this machine said that it is faster"
    else:
        stop = f"where more than {formats.percent(exact.most)} of its vectors differ"
    rule = f"A layer computes densely {stop}."
    if not names:
        return f"All {exact.layers} layers reused. {rule}"
    return f"{len(names)} of {exact.layers} layers computed densely: {named_layers(names)}. {rule}"


def _exact(summary: Summary, run: str) -> Exact:
    exact = summary.compared[run].equal
    assert exact is not None  # noqa: S101 - it was trained so
    return exact


_EXACT = (
    "Vectors of the input that are equal bit for bit form a class; which windows of a layer are equal "
    "follows from the classes and the layer's geometry, so values are looked at once, in the input. Each "
    "class is computed once, forward and backward; the gradient of a class is the sum over its vectors. "
    "Nothing is approximated: results differ from dense ones by the order of summation. A layer in which too "
    "few vectors are equal computes densely, and what comes after it too."
)
_MULTIPLIED = (
    "Of the products that the dense network computes, forward, the share that was computed, and the speed-up "
    "that this alone allows: finding classes and moving rows take from it, and what activations, "
    "normalisation and pooling save adds to it."
)
_LOSSES = (
    "The distance between the losses of both trainings in the same step. A difference of rounding in one "
    "step changes the weights, and grows with the steps, as it does between dense trainings on different "
    "numbers of threads."
)
