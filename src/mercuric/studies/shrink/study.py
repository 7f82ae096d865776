"""Which narrower forms of a network give the most accuracy for their energy and latency?"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.accelerator import as_accelerator
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.studies.machine import machine
from mercuric.studies.optuna_sampler import load_optuna
from mercuric.studies.process_pool import process_pool
from mercuric.studies.resolved import resolved_data, resolved_hardware, resolved_networks
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.search import (
    UNIFORM,
    Factors,
    Finished,
    Proposal,
    Search,
    front,
)
from mercuric.studies.shrink.trial import Ground, TrialResult, ground, name_of, priced, run_trial
from mercuric.training import full_batches

FACTOR = "factor "
"""Before a stage's name in the columns of ``trials.csv``."""

_Train = Callable[[list[Proposal]], Iterator[TrialResult]]


@alone
def shrink(
    config: ShrinkConfig,
    folder: Path,
    trials: int = 20,
    jobs: int = 1,
    resume: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Search; write ``trials.csv``, ``front.csv``, ``shrink.json`` and the front's networks.

    The uniform widths of :data:`UNIFORM` come first. Networks with the same channels are trained once.

    Args:
        config: network, data, training and accelerator.
        folder: gets the files, Optuna's journal, and a folder a network in ``trials/``, with its weights
            in ``network.safetensors`` if it is on the front.
        trials: networks to train, those that a resumed search has trained among them.
        jobs: networks that are trained at a time, each in a process. Proposals are drawn so many at a
            time, so that another number gives another search.
        resume: go on with a search of the same configuration; it may be given more trials.
        progress: told trials done, trials in all, and what goes on.

    Returns:
        What ``shrink.json`` says.

    Raises:
        ValueError: a wrong setting, found before anything trains.
        MercuricError: Optuna is not installed, files are missing, the folder holds another search, or a
            process was killed.
        OSError: the folder can't be written.
    """
    shared = _checked(config, trials, jobs)
    load_optuna()
    hardware = resolved_hardware(as_accelerator(config.accelerator))
    networks = resolved_networks({config.model: shared.lesson.opened})
    claim_folder(folder, config, resume, resolved={**hardware, **resolved_data(shared.images), **networks})
    search = Search(config, shared.channels, folder)

    def tell(what: str = "") -> None:
        progress(len(search.finished()), trials, what)

    with _training(config, folder, jobs, tell) as train:
        while proposals := _proposals(search, trials, jobs):
            for proposal, result in zip(proposals, train(proposals), strict=True):
                search.tell(proposal, result)
            _leave_the_front(config, search.finished(), folder)
            tell()
    return _summarize(config, search.finished(), shared, folder)


def _checked(config: ShrinkConfig, trials: int, jobs: int) -> Ground:
    if trials < len(UNIFORM):
        raise ArgumentError(
            f"trials was {trials}, but must be at least {len(UNIFORM)}: the uniform widths "
            f"{', '.join(f'{width:g}' for width in UNIFORM)} are always among them"
        )
    if jobs < 1:
        raise ArgumentError(f"jobs was {jobs}, but must be at least 1")
    shared = ground(config)
    full_batches(len(shared.lesson.task), config.training.batch_size)
    priced(config, dict.fromkeys(shared.channels.stages, 1.0))
    return shared


def _proposals(search: Search, trials: int, jobs: int) -> list[Proposal]:
    left = trials - len(search.finished())
    return search.uniform()[:jobs] or search.propose(max(0, min(jobs, left)))


@contextmanager
def _training(
    config: ShrinkConfig, folder: Path, jobs: int, tell: Callable[[str], object]
) -> Iterator[_Train]:
    """How a round of proposals is trained: here, or each in a process."""

    def here(proposals: list[Proposal]) -> Iterator[TrialResult]:
        for one in proposals:
            yield run_trial(config, one.factors, _place(folder, one), _steps(tell, one.factors))

    if jobs == 1:
        yield here
        return

    def apart(proposals: list[Proposal]) -> Iterator[TrialResult]:
        tell("; ".join(_shown(proposal.factors) for proposal in proposals))
        running = [pool.submit(run_trial, config, one.factors, _place(folder, one)) for one in proposals]
        for training in running:
            yield training.result()

    with process_pool(jobs) as pool:
        yield apart


def _leave_the_front(config: ShrinkConfig, finished: Sequence[Finished], folder: Path) -> None:
    """Training states go with the training, and a network that is dominated once stays so."""
    on_front = front([one.result for one in finished], config.mercury)
    for one, best in zip(finished, on_front, strict=True):
        place = _place(folder, one)
        shutil.rmtree(place / "checkpoints", ignore_errors=True)
        if not best:
            (place / "network.safetensors").unlink(missing_ok=True)


def _summarize(
    config: ShrinkConfig, finished: Sequence[Finished], shared: Ground, folder: Path
) -> dict[str, Any]:
    rows = _rows(config, finished, shared)
    table = pd.DataFrame(rows)
    write_text(folder / "trials.csv", table.to_csv(index=False))
    write_text(folder / "front.csv", table[table["front"]].to_csv(index=False))
    accelerator = as_accelerator(config.accelerator)
    summary = {
        **config.model_dump(mode="json", exclude={"training", "seed", "accelerator"}),
        "image_size": shared.images.image_size,
        "epochs": config.training.epochs,
        "batch_size": config.training.batch_size,
        "learning_rate": config.training.learning_rate,
        "train_examples": len(shared.lesson.task),
        "test_images": len(shared.images.test),
        "seeds": [config.seed],
        "weights": "trained from scratch",
        "accelerator": accelerator.name,
        "timing": accelerator.timing,
        "clock_mhz": accelerator.clock_mhz,
        "unit": fitting(accelerator).unit,
        "stages": list(shared.channels.stages),
        "trials": records(table),
        "machine": machine(),
    }
    write_text(folder / "shrink.json", json_text(summary) + "\n")
    return summary


def _rows(config: ShrinkConfig, finished: Sequence[Finished], shared: Ground) -> list[dict[str, Any]]:
    stages = shared.channels.stages
    widths: dict[tuple[int, ...], list[str]] = {}
    for width in UNIFORM:
        widths.setdefault(shared.channels.counts(dict.fromkeys(stages, width)), []).append(f"{width:g}")
    on_front = front([one.result for one in finished], config.mercury)
    return [
        {
            "trial": number,
            "uniform": " ".join(widths.get(one.counts, [])),
            **{FACTOR + stage: one.factors[stage] for stage in stages},
            **asdict(one.result),
            "front": best,
            "network": name_of(one.counts),
        }
        for number, (one, best) in enumerate(zip(finished, on_front, strict=True), start=1)
    ]


def _place(folder: Path, network: Proposal | Finished) -> Path:
    return folder / "trials" / name_of(network.counts)


def _steps(tell: Callable[[str], object], factors: Factors) -> Progress:
    return lambda done, total, what="", _bar="", /: tell(f"{_shown(factors)}: step {done} of {total}, {what}")


def _shown(factors: Factors) -> str:
    return " ".join(f"{factor:g}" for factor in factors.values())
