"""Which methods are told of here?"""

from mercuric.studies.train.summary_file import Summary
from mercuric.studies.train.words.directions import DirectionsWords
from mercuric.studies.train.words.exact import ExactWords
from mercuric.studies.train.words.mercury import MercuryWords
from mercuric.studies.train.words.words import Words

_WORDS: dict[str, Words] = {
    "alike": MercuryWords(),
    "directions": DirectionsWords(),
    "equal": ExactWords(),
}
"""By the names of :attr:`~mercuric.studies.train.summary_file.Reused.method`."""


def words_of(summary: Summary) -> dict[str, Words]:
    """Run of a training that reuses to what is said of it; the first one is what the report is about."""
    return {run: _WORDS[part.method] for run, part in summary.compared.items()}
