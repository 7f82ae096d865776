"""What is written of a study, for the page and for scripts?"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from mercuric.files.json_text import records
from mercuric.page import formats
from mercuric.studies.machine import machine
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import DENSE, FORMS
from mercuric.studies.schedule.outcome import Outcome
from mercuric.studies.schedule.ranking import ranked
from mercuric.studies.schedule.study import Found

COLUMNS = (
    "form", "share", "seed", "seconds", "filled", "wall", "cpu", "steps", "learning_rate", "batch",
    "accuracy", "diverged", "parameters", "at_once",
)  # fmt: skip


def training_rows(found: Found, config: ScheduleConfig) -> pd.DataFrame:
    """A row a training that was begun.

    Returns:
        :data:`COLUMNS`: those of an :class:`~mercuric.studies.schedule.outcome.Outcome`; ``seconds`` by the
        clock that counts, and ``filled``, these over the share of dense's seconds that was to be filled.
    """
    rows = []
    for one in found.outcomes:
        if not one.too_short:
            seconds = one.cpu if config.clock == "cpu" else one.wall
            rows.append({**one.plain(), "seconds": seconds, "filled": seconds / (one.share * found.seconds)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def summary(found: Found, config: ScheduleConfig) -> dict[str, Any]:
    """What ``schedule.json`` says."""
    rows = training_rows(found, config)
    return {
        "subject": config.described(),
        "config": config.model_dump(mode="json"),
        "machine": machine(),
        "seconds": found.seconds,
        "classes": found.classes,
        "examples": found.examples,
        "forms": [_form(name, found, config) for name in found.tunings],
        "left_out": found.left_out,
        "ranking": records(ranked(rows, found.classes)),
        "rows": records(rows),
    }


def _form(name: str, found: Found, config: ScheduleConfig) -> dict[str, Any]:
    """How a form computes, with what it was trained, and what it chose."""
    pace, tuning, best = found.paces[name], found.tunings[name], found.tunings[name].best
    batch = config.batch if best is None else best.batch
    step, dense = pace.mean_step(batch), found.paces[DENSE].mean_step(batch)
    trials = [trial.accuracy for trial in tuning.trials]
    mine = [one for one in found.outcomes if one.form == name and not one.too_short]
    return {
        "form": name,
        "shown": FORMS[name].shown,
        "source": FORMS[name].source,
        "setting": pace.setting.shown,
        "compiling": pace.compiling,
        "milliseconds": None if step is None else 1000 * step,
        "times": None if not step or dense is None else dense / step,
        "learning_rate": None if best is None else best.learning_rate,
        "batch": None if best is None else best.batch,
        "trials": len(trials),
        "trials_diverged": sum(trial.diverged is not None for trial in tuning.trials),
        "best_trial": max((one for one in trials if one is not None), default=None),
        "parameters": mine[-1].parameters if mine else None,
        "chose": _chosen(mine),
    }


def _chosen(outcomes: Sequence[Outcome]) -> str:
    """What the form found or chose in its last training, in words."""
    facts = outcomes[-1].facts if outcomes else {}
    said = []
    if (ranks := facts.get("ranks")) is not None:
        said.append(_ranks(sorted(ranks.values())))
    if (switched := facts.get("switched")) is not None:
        said.append(f"from {switched:.0%} of the seconds on")
    if (layers := facts.get("layers")) is not None:
        said.append(f"{layers} layers in directions")
    if (pruned := facts.get("pruned")) is not None:
        said.append(f"left out {pruned:.0%} of the examples")
    return ", ".join(said)


def _ranks(ranks: Sequence[int]) -> str:
    if not ranks:
        return "no layer factorised"
    least, most = ranks[0], ranks[-1]
    layers = formats.number_of(len(ranks), "layer")
    return f"{layers} of rank {least}" + (f" to {most}" if most > least else "")
