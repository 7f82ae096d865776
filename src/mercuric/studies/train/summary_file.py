"""What did the run find? ``summary.json``, as it is written and as it is read."""

from collections.abc import Mapping
from math import nan
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mercuric.errors import ArgumentError
from mercuric.page import formats
from mercuric.page.score import METRICS, Metric, MetricName

Number = int | float
"""Counts stay whole in the file."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Trained(_Part):
    """One kind of training, over its seeds; scores lie under their metric's name."""

    accuracy: float | None = None
    accuracies: list[float] = []
    bleu: float | None = None
    bleus: list[float] = []
    spread: float | None = None

    @property
    def score(self) -> float:
        """The mean over seeds."""
        known = self.accuracy if self.bleu is None else self.bleu
        return nan if known is None else known

    @property
    def scores(self) -> list[float]:
        """Of each seed."""
        return self.bleus or self.accuracies


class Directions(_Part):
    """Training in principal directions: how many, and of how many layers, a number a seed."""

    rank: Number | None = None
    error: float | None = None
    layers: int
    kept: list[int] = Field(min_length=1)

    @property
    def written(self) -> str:
        """How many layers computed in directions when training ended."""
        least, most = min(self.kept), max(self.kept)
        return f"{least if least == most else f'{least} to {most}'} of {self.layers}"

    @property
    def wanted(self) -> str:
        """Directions a layer, as they were asked for."""
        if self.rank is None:
            return f"as few as lose {formats.percent(self.error, 0)}"
        if self.rank >= 1:
            return f"{self.rank:g}"
        return f"{formats.percent(self.rank)} of its filters"


class LossDifference(_Part):
    """How far the losses of two trainings lie apart, step by step: the largest distance, and the median."""

    largest: float
    median: float
    steps: int


class Exact(_Part):
    """Training with exact reuse.

    ``multiplied`` is the share of the dense products that was computed; ``dense`` names the layers that
    computed most of their vectors densely, a list a seed: where more than ``most`` of them differed, or,
    where that is None, by times measured.
    """

    levels: int | None = None
    scope: str = "batch"
    most: float | None = None
    layers: int
    multiplied: float | None = None
    dense: list[list[str]] = Field(min_length=1)
    loss: LossDifference | None = None


class Reused(Trained):
    """Training by a method that reuses; rates are shares of all input vectors."""

    accuracy_without_reuse: float | None = None
    bleu_without_reuse: float | None = None
    hit_rate: float | None = None
    zero_rate: float | None = None
    similar_rate: float | None = None
    bits: Number | None = None
    final_bits: list[dict[str, Number]] = []
    layers_off: list[list[str]] = []
    directions: Directions | None = None
    equal: Exact | None = None

    @property
    def method(self) -> str:
        """The name of the method that it was trained by."""
        if self.equal is not None:
            return "equal"
        return "alike" if self.directions is None else "directions"

    @property
    def score_without_reuse(self) -> float | None:
        """Of the same weights, computed densely."""
        return self.accuracy_without_reuse if self.bleu is None else self.bleu_without_reuse

    @property
    def zero_hit_rate(self) -> float | None:
        """Hits by all-zero vectors, as a share of all vectors."""
        if self.hit_rate is None or self.similar_rate is None:
            return None
        return max(0.0, self.hit_rate - self.similar_rate)


class CycleTotals(_Part):
    """Simulated cycles of the whole training; ``mercury`` includes ``signature``."""

    baseline: Number | None = None
    mercury: Number | None = None
    signature: Number | None = None
    stall: Number | None = None


class Cycles(CycleTotals):
    """The totals in the run's own timing, and in each."""

    accelerator: str
    timing: str = "paper"
    paper: CycleTotals | None = None
    fair: CycleTotals | None = None


class Speedup(_Part):
    """Baseline cycles over MERCURY's cycles; ``published`` is the paper's own figure."""

    paper: float | None = None
    fair: float | None = None
    published: float | None = None


class Seconds(_Part):
    """Wall-clock seconds of training, evaluation excluded."""

    dense: float | None = None
    reuse: float | None = None
    mercury: float | None = None


class Summary(_Part):
    """The whole of ``summary.json``; a kind that was not trained is ``None``."""

    model: str
    width: float = 1.0
    data: str
    metric_name: MetricName = Field("accuracy", alias="metric")
    form: str | None = None
    seeds: list[int] = Field(min_length=1)
    epochs: int | None = None
    batch_size: int | None = None
    steps: int | None = None
    train_images: int | None = None
    train_images_available: int | None = None
    test_images: int | None = None
    train_pairs: int | None = None
    train_pairs_available: int | None = None
    test_pairs: int | None = None
    vocabulary: int | None = None
    weights: str | None = None
    dense: Trained | None = None
    reuse: Reused | None = None
    mercury: Reused | None = None
    cycles: Cycles | None = None
    speedup: Speedup = Speedup()
    seconds: Seconds = Seconds()
    machine: dict[str, Any] = {}

    @property
    def metric(self) -> Metric:
        """What the scores measure."""
        return METRICS[self.metric_name]

    @property
    def network(self) -> str:
        """The network's name, with its width where that is not the usual one."""
        return self.model if self.width == 1 else f"{self.model} at width {self.width:g}"

    @property
    def compared(self) -> dict[str, Reused]:
        """The trainings that reuse, by the name of their run."""
        runs = {"reuse": self.reuse, "mercury": self.mercury}
        return {run: part for run, part in runs.items() if part is not None}

    @property
    def mercury_run(self) -> str | None:
        """The run that was trained with MERCURY."""
        runs = [run for run, part in self.compared.items() if part.method == "alike"]
        return runs[0] if runs else None

    @property
    def mercury_part(self) -> Reused | None:
        """What came out of that run."""
        return None if self.mercury_run is None else self.compared[self.mercury_run]

    def seconds_of(self, run: str) -> float | None:
        """Of a run; None where it was not trained."""
        seconds: float | None = getattr(self.seconds, run)
        return seconds

    def seconds_ratio(self, run: str) -> float | None:
        """Dense seconds over those of another run; None where one is missing."""
        dense, reuse = self.seconds.dense, self.seconds_of(run)
        return dense / reuse if dense is not None and reuse else None

    def score_change(self, run: str) -> float | None:
        """A run's score less the dense one; ``None`` where one is missing."""
        if self.dense is None or run not in self.compared:
            return None
        change = self.compared[run].score - self.dense.score
        return change if formats.is_known(change) else None

    def plain(self) -> dict[str, Any]:
        """What was said of the run, ready for JSON; what was not is left out."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def parse_summary(content: Mapping[str, Any]) -> Summary:
    """Check a summary's content.

    Raises:
        ValueError: a figure is missing or has the wrong type; names it.
    """
    present = {key: value for key, value in content.items() if value is not None}
    try:
        summary = Summary.model_validate(present)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ArgumentError(f"the summary's {place}: {first['msg'].lower()}") from error
    trained: dict[str, Trained | None] = {"dense": summary.dense, **summary.compared}
    for kind, one in trained.items():
        if one is not None and getattr(one, summary.metric_name) is None:
            raise ArgumentError(f"the summary's {kind}.{summary.metric_name}: field required")
    if not any(trained.values()):
        raise ArgumentError("the summary has neither dense nor reuse: nothing was trained")
    return summary
