"""Which few figures tell the run?"""

from dataclasses import replace

from mercuric.page import formats
from mercuric.page.parts import Card
from mercuric.studies.train.summary_file import Summary
from mercuric.studies.train.words.known import words_of
from mercuric.studies.train.words.mercury import cycle_cards


def key_figures(summary: Summary) -> list[Card]:
    """The cards of a run, those without a value left out; those of a second method bear its name."""
    told = words_of(summary)
    cards = [] if told else _dense_only(summary)
    for place, (run, words) in enumerate(told.items()):
        for card in words.cards(summary, run):
            label = f"{words.name}: {_lower(card.label)}" if place else card.label
            cards.append(replace(card, label=label))
    return [card for card in cards if card.value != formats.MISSING]


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


def _dense_only(summary: Summary) -> list[Card]:
    score = summary.dense.score if summary.dense else None
    seconds = formats.duration(summary.seconds.dense)
    return [
        Card(f"Test {summary.metric.name}", summary.metric.written(score), "dense training"),
        *cycle_cards(summary),
        Card("Training time", seconds, "dense, wall-clock"),
    ]
