"""Which factors are tried next? Optuna's multi-objective sampler, kept in the run's folder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercuric.errors import MercuricError
from mercuric.studies.optuna_sampler import load_optuna
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.trial import TrialResult
from mercuric.zoo.channels import Channels

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

UNIFORM = (1.0, 0.9, 0.8, 0.7)
"""Widths that are always among the trials: the same factor at every stage."""
NARROWEST, STEP = 0.5, 0.05
JOURNAL = "search.log"

_STARTING = 8
_REPEATS_BEFORE_CHANCE, _REPEATS_BEFORE_END = 20, 100
_TRAINED, _REPEATED = "trained", "repeated"

Factors = dict[str, float]
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Proposal:
    """A network to be trained.

    Attributes:
        factors: of each stage.
        counts: channels left of each set.
        trial: Optuna's, to be told; None for a uniform width.
    """

    factors: Factors
    counts: Counts
    trial: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Finished:
    """A network that was trained; the attributes are those of its proposal, and its result."""

    factors: Factors
    counts: Counts
    result: TrialResult


_BROKEN = (AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError)
"""What Optuna raises where the journal is not its own."""


class Search:
    """A search that goes on where its journal ends.

    What is proposed depends on the seed and the finished trials alone: a search that was stopped and
    resumed proposes what one that ran through does.

    Args:
        config: seed, and whether MERCURY's costs are minimised.
        channels: of the network.
        folder: holds the journal.

    Raises:
        MercuricError: Optuna is not installed, or the journal is broken.
    """

    def __init__(self, config: ShrinkConfig, channels: Channels, folder: Path) -> None:
        optuna = load_optuna()
        self._optuna, self._config, self._channels = optuna, config, channels
        folder.mkdir(parents=True, exist_ok=True)
        _cut_half_a_line(folder / JOURNAL)
        backend = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL))
        try:
            self._study = optuna.create_study(
                storage=optuna.storages.JournalStorage(backend),
                study_name="shrink",
                directions=["maximize", "minimize", "minimize"],
                load_if_exists=True,
            )
            self.finished()
        except _BROKEN as error:
            reason = f"{type(error).__name__}, {error}"
            raise MercuricError(
                f"{folder / JOURNAL} is broken ({reason}); remove {folder} to start over"
            ) from error
        self._space = {
            stage: optuna.distributions.FloatDistribution(NARROWEST, 1.0, step=STEP)
            for stage in channels.stages
        }
        for stopped in self._study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            self._finish(stopped.number, self._result(stopped))

    def finished(self) -> list[Finished]:
        """All networks that were trained, in the order of their trials."""
        return [
            Finished(_factors(trial), tuple(trial.user_attrs[_TRAINED]["counts"]), result)
            for trial in self._study.get_trials()
            if (result := self._result(trial)) is not None
        ]

    def uniform(self) -> list[Proposal]:
        """The uniform widths that have not been trained; those of equal channels are one."""
        done = {one.counts for one in self.finished()}
        proposals: dict[Counts, Proposal] = {}
        for width in UNIFORM:
            factors = dict.fromkeys(self._channels.stages, width)
            counts = self._channels.counts(factors)
            if counts not in done and counts not in proposals:
                proposals[counts] = Proposal(factors, counts)
        return list(proposals.values())

    def propose(self, number: int) -> list[Proposal]:
        """Up to so many networks that were neither trained nor proposed; fewer where it finds no more."""
        taken = {one.counts for one in self.finished()}
        proposals: list[Proposal] = []
        while len(proposals) < number:
            found = self._new(taken, len(proposals))
            if found is None:
                break
            taken.add(found.counts)
            proposals.append(found)
        return proposals

    def tell(self, proposal: Proposal, result: TrialResult) -> None:
        """A proposed network was trained: note its result."""
        noted = {"counts": list(proposal.counts), "result": asdict(result)}
        if proposal.trial is not None:
            proposal.trial.set_user_attr(_TRAINED, noted)
            self._finish(proposal.trial.number, result)
            return
        values, state = objectives(result, self._config.mercury), self._optuna.trial.TrialState
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=state.FAIL if values is None else state.COMPLETE, values=values,
                params=proposal.factors, distributions=self._space, user_attrs={_TRAINED: noted},
            )
        )  # fmt: skip

    def _new(self, taken: set[Counts], pending: int) -> Proposal | None:
        """What the sampler draws; where that brings nothing new for long, what chance draws."""
        samplers = self._optuna.samplers
        for repeats in range(_REPEATS_BEFORE_END):
            seed = self._seed(pending)
            if repeats < _REPEATS_BEFORE_CHANCE:
                self._study.sampler = samplers.TPESampler(seed=seed, n_startup_trials=_STARTING)
            else:
                self._study.sampler = samplers.RandomSampler(seed=seed)
            trial = self._study.ask(self._space)
            factors = {stage: round(trial.params[stage], 2) for stage in self._channels.stages}
            counts = self._channels.counts(factors)
            if counts not in taken:
                return Proposal(factors, counts, trial)
            trial.set_user_attr(_REPEATED, True)
            self._finish(trial.number, None)
        return None

    def _seed(self, pending: int) -> int:
        """Of the next drawing: no state to be kept, and no trial that was killed counts."""
        known = sum(not {_TRAINED, _REPEATED}.isdisjoint(t.user_attrs) for t in self._study.get_trials())
        return (self._config.seed * 1_000_003 + known + pending) % 2**32

    def _finish(self, number: int, result: TrialResult | None) -> None:
        values = None if result is None else objectives(result, self._config.mercury)
        state = self._optuna.trial.TrialState
        self._study.tell(number, values, state.FAIL if values is None else state.COMPLETE)

    def _result(self, trial: "FrozenTrial") -> TrialResult | None:
        noted = trial.user_attrs.get(_TRAINED)
        return None if noted is None else TrialResult(**noted["result"])


def _cut_half_a_line(journal: Path) -> None:
    """Drop what a kill has left half written, behind which Optuna would write on."""
    if journal.is_file():
        with journal.open("r+b") as file:
            whole_lines = file.read().rfind(b"\n") + 1
            file.truncate(whole_lines or file.tell())


def objectives(result: TrialResult, mercury: bool) -> list[float] | None:
    """Accuracy, energy and latency; None where the training diverged."""
    energy = result.mercury_energy if mercury else result.energy
    latency = result.mercury_latency if mercury else result.latency
    if result.accuracy is None or energy is None or latency is None:
        return None
    return [result.accuracy, energy, latency]


def front(results: Sequence[TrialResult], mercury: bool) -> list[bool]:
    """Which results no other one is at least as good as in all three and better in one."""
    points = [objectives(result, mercury) for result in results]
    return [
        mine is not None and not any(other is not None and _dominates(other, mine) for other in points)
        for mine in points
    ]


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    better = (one[0] - other[0], other[1] - one[1], other[2] - one[2])
    return min(better) >= 0 and max(better) > 0


def _factors(trial: "FrozenTrial") -> Factors:
    return {stage: round(factor, 2) for stage, factor in trial.params.items()}
