"""What is said of a training with MERCURY?"""

import pandas as pd
from rich.table import Table

from mercuric.page import formats
from mercuric.page.chart import KIND_NAMES, MERCURY
from mercuric.page.parts import Card, Section
from mercuric.studies.train.figure import Figure, written
from mercuric.studies.train.layers import average_over_seeds
from mercuric.studies.train.summary_file import Reused, Summary
from mercuric.studies.train.words.mercury_layers import layer_section
from mercuric.studies.train.words.mercury_table import layer_table
from mercuric.studies.train.words.words import Words, is_loss, pace, score_card, time_card


class MercuryWords(Words):
    """Similar vectors take each other's results; what is gained is cycles of simulated hardware."""

    name = KIND_NAMES["reuse"]
    trained = "with MERCURY"
    colour = MERCURY
    timed = False
    plainly = "without reuse"
    meaning = "the weights MERCURY trained, with every dot product computed"

    def claim(self, summary: Summary, run: str) -> tuple[str, bool]:  # noqa: ARG002
        """See :meth:`Words.claim`: cycles in both timings."""
        paper, fair = summary.speedup.paper, summary.speedup.fair
        where = f"On {summary.cycles.accelerator}, " if summary.cycles else ""
        subject = f"{where}MERCURY trains {summary.network}"
        in_paper, against_fair = "in the paper's timing", "against a pipelined baseline"
        if paper is None and fair is None:
            return "", False
        if paper is None or fair is None:
            known, timing = (fair or 0.0, against_fair) if paper is None else (paper, in_paper)
            return f"{subject} {pace(known)} {timing}", not is_loss(known)
        gains = [round(paper, 2) > 1, round(fair, 2) > 1]
        joiner = "and" if gains[0] == gains[1] else "but"
        clause = f"{subject} {pace(paper)} {in_paper} {joiner} {pace(fair)} {against_fair}"
        return clause, not (is_loss(paper) or is_loss(fair))

    def lead(self, summary: Summary, run: str) -> str:
        """See :meth:`Words.lead`: HITs and cycles."""
        return " ".join(filter(None, (_reused(summary.compared[run]), _simulated(summary))))

    def cards(self, summary: Summary, run: str) -> list[Card]:
        """See :meth:`Words.cards`: score, speed-ups, cycles, HITs and seconds."""
        how = "MERCURY, emulated" if summary.seconds.dense is None else "emulated"
        return [
            score_card(summary, run, self.trained),
            *_speedup_cards(summary),
            *cycle_cards(summary),
            _hit_card(summary.compared[run]),
            time_card(summary, run, how),
        ]

    def figures(self, summary: Summary, run: str) -> list[Figure]:
        """See :meth:`Words.figures`: HITs and bits."""
        part = summary.compared[run]
        hits, zero, similar, vectors = (
            written(formats.percent(rate))
            for rate in (part.hit_rate, part.zero_hit_rate, part.similar_rate, part.zero_rate)
        )
        bits = "" if part.bits is None else f"{part.bits:g}"
        return [
            Figure("hit rate", {run: hits}),
            Figure("of which similar vectors", {run: similar}, detail=True),
            Figure("of which zero vectors", {run: zero}, detail=True),
            Figure("zero vectors among all", {run: vectors}),
            Figure("signature bits", {run: bits}),
            Figure("at the end of training", {run: _final_bits(part)}, detail=True),
        ]

    def measured(self) -> list[tuple[str, str]]:
        """See :meth:`Words.measured`."""
        return [("Hit rate", _HIT_RATE), ("Relative output error", _ERROR)]

    def clock(self, summary: Summary, run: str) -> str:
        """See :meth:`Words.clock`: they are an emulation's."""
        text = "Reuse is the accelerator's mechanism emulated in PyTorch"
        dense, seconds = summary.seconds.dense, summary.seconds_of(run)
        if dense is None or seconds is None:
            return f"{text}; its seconds say nothing about the accelerator."
        if seconds > dense:
            return f"{text}: slower here than dense training, which says nothing about the accelerator."
        return f"{text}; it was no slower here than dense training. The speed-ups are of simulated cycles."

    def over_seeds(self, layers: pd.DataFrame) -> pd.DataFrame:
        """See :meth:`Words.over_seeds`."""
        return average_over_seeds(layers)

    def section(self, layers: pd.DataFrame) -> Section:
        """See :meth:`Words.section`."""
        return layer_section(layers)

    def table(self, layers: pd.DataFrame) -> Table:
        """See :meth:`Words.table`."""
        return layer_table(layers)


def cycle_cards(summary: Summary) -> list[Card]:
    """Simulated cycles, where they are known."""
    cycles = summary.cycles
    if cycles is None:
        return []
    if not formats.is_known(cycles.mercury):
        return [Card("Cycles", formats.count(cycles.baseline), f"baseline, {cycles.accelerator}")]
    return [Card("Cycles", formats.count(cycles.mercury), f"baseline {formats.count(cycles.baseline)}")]


def _speedup_cards(summary: Summary) -> list[Card]:
    paper, fair, published = summary.speedup.paper, summary.speedup.fair, summary.speedup.published
    beside = f"published: {formats.ratio(published)}" if published else "no published figure"
    return [
        Card("Speed-up, paper timing", formats.ratio(paper), beside, bad=is_loss(paper)),
        Card("Speed-up, fair timing", formats.ratio(fair), "baseline pipelined as well", bad=is_loss(fair)),
    ]


def _hit_card(part: Reused) -> Card:
    zero, similar = formats.percent(part.zero_hit_rate), formats.percent(part.similar_rate)
    known = part.zero_hit_rate is not None
    beside = f"{similar} similar + {zero} zero" if known else "of the input vectors"
    return Card("Hit rate", formats.percent(part.hit_rate), beside)


def _reused(part: Reused) -> str:
    if part.hit_rate is None:
        return ""
    sentence = f"{formats.percent(part.hit_rate)} of the input vectors reused an earlier result"
    if part.zero_hit_rate is None:
        return f"{sentence}."
    zero, similar = formats.percent(part.zero_hit_rate), formats.percent(part.similar_rate)
    return f"{sentence}: {similar} were similar to an earlier vector, {zero} were all zero."


def _simulated(summary: Summary) -> str:
    cycles = summary.cycles
    if cycles is None or not formats.is_known(cycles.mercury) or not formats.is_known(cycles.baseline):
        return ""
    sentence = (
        f"Simulated over the whole training, {formats.cycles(cycles.baseline)} became "
        f"{formats.count(cycles.mercury)}"
    )
    if formats.is_known(cycles.signature):
        sentence += f", {formats.count(cycles.signature)} of them spent on signatures"
    return f"{sentence}."


def _final_bits(part: Reused) -> str:
    bits = {final for seed in part.final_bits for final in seed.values()}
    if not bits or bits == {part.bits}:
        return ""
    return f"{min(bits):g}" if len(bits) == 1 else f"{min(bits):g} to {max(bits):g}"


_HIT_RATE = (
    "Each input vector of a dot product gets a signature, the signs of a few projections of it. "
    "HIT: the signature was in the MCACHE and the stored result was reused; MAU: it was "
    "not, the result was computed and kept; MNU: it was not and its set was full, the result was "
    "computed and not kept. All-zero vectors, which ReLU makes in plenty, are counted apart "
    "from similar ones."
)
_ERROR = (
    "The distance between a layer's output with reuse and its dense output on the same input, "
    "divided by the size of the dense output."
)
