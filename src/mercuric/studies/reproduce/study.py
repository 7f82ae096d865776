"""How are the studies run that answer the claims? Each by its own command, in a process of its own."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from mercuric.config import Config
from mercuric.files.dataset import PARTS, write_part
from mercuric.files.json_text import json_text
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.studies.machine import machine
from mercuric.studies.ray_pool import ray_pool
from mercuric.studies.reproduce.claim import Claim, chosen_claims
from mercuric.studies.reproduce.config import ReproduceConfig
from mercuric.studies.reproduce.runs import Run, all_runs, needed_runs
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.workers import HERE, Workers

RUNS, OUTCOMES, SUMMARY = "runs", "outcomes", "reproduction.json"


class Outcome(Config):
    """How a run ended.

    Attributes:
        command: as a user types it.
        seconds: that it took, all its attempts together.
        said: its last line where it failed; None where it did not.
    """

    command: str
    seconds: float
    said: str | None = None


@alone
def reproduce(
    config: ReproduceConfig,
    folder: Path,
    workers: Workers = HERE,
    resume: bool = False,
    progress: Progress = silent,
) -> dict[str, Outcome]:
    """Run every study that the claims need; one that fails takes nothing from the others.

    Args:
        config: which claims.
        folder: gets a folder a run in ``runs/``, how each ended in ``outcomes/`` and in the dataset
            ``parts/``, and ``reproduction.json``.
        workers: who does the runs; those of this machine share its cores.
        resume: runs that ended well are kept, others go on or begin again.
        progress: told after each run.

    Returns:
        How each run ended, by name.

    Raises:
        ValueError: an unknown claim.
        MercuricError: the folder holds another run, or workers fail.
        OSError: it can't be written.
    """
    claims = chosen_claims(config.claims)
    claim_folder(folder, config, resume, free=frozenset({"claims"}))
    order = needed_runs((name for claim in claims for name in claim.runs), config.quick)
    outcomes = _all_of(order, config, folder, workers, progress)
    write_text(folder / SUMMARY, json_text(_described(config, claims, outcomes)))
    return outcomes


def run_folders(folder: Path, names: list[str] | tuple[str, ...]) -> dict[str, Path]:
    """Where runs lie in the folder of a reproduction."""
    return {name: folder / RUNS / name for name in names}


def _described(
    config: ReproduceConfig, claims: list[Claim], outcomes: Mapping[str, Outcome]
) -> dict[str, object]:
    return {
        "config": config.model_dump(mode="json"),
        "claims": [claim.name for claim in claims],
        "runs": {name: outcome.model_dump() for name, outcome in outcomes.items()},
        "machine": machine(),
    }


def _all_of(
    order: list[str], config: ReproduceConfig, folder: Path, workers: Workers, progress: Progress
) -> dict[str, Outcome]:
    """So many at a time as there are jobs, each when those that it reads have ended."""
    done: dict[str, Outcome] = {}
    running: dict[Future[Outcome], str] = {}
    left = list(order)
    with _runners(workers, folder) as (pool, jobs, threads):
        while left or running:
            ready = [
                name for name in left if all(one in done for one in all_runs()[name].after(config.quick))
            ]
            for name in ready[: jobs - len(running)]:
                left.remove(name)
                run = all_runs()[name]
                running[pool.submit(run_one, name, run, config, folder, dict(done), threads)] = name
            progress(len(done), len(order), ", ".join(running.values()))
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done[running.pop(future)] = future.result()
    progress(len(order), len(order))
    return {name: done[name] for name in order}


@contextmanager
def _runners(workers: Workers, folder: Path) -> Iterator[tuple[Executor, int, int]]:
    """Who starts the runs, how many at a time, and threads of each; here it is threads that wait for them."""
    if workers.ray is not None:
        with ray_pool(workers.ray, workers.jobs, folder) as pool:
            yield pool, pool.at_once, pool.threads
        return
    jobs = workers.at_once
    with ThreadPoolExecutor(jobs) as starters:
        yield starters, jobs, max(1, len(os.sched_getaffinity(0)) // jobs)


def run_one(
    name: str, run: Run, config: ReproduceConfig, folder: Path, ended: Mapping[str, Outcome], threads: int
) -> Outcome:
    """Run a study, or read how it ended; ``ended`` says so of those that it reads."""
    place = folder / RUNS / name
    kept = folder / OUTCOMES / f"{name}.json"
    before = Outcome.read(kept) if kept.exists() else None
    if before is not None and before.said is None:
        return before
    folders = run_folders(folder, run.after(config.quick))
    words = run.command(config.quick, config.data, folders)
    failed = next((one for one in folders if ended[one].said is not None), None)
    if failed is not None:
        outcome = Outcome(command=_typed(words), seconds=0, said=f"{failed}, which it reads, failed")
    else:
        again = place.exists() and run.resumes(config.quick)
        outcome = _run(words, place, again, threads, before.seconds if before else 0)
    write_text(kept, json_text(outcome.model_dump()))
    write_part(
        pd.DataFrame([{"run": name, **outcome.model_dump()}]), folder / PARTS / f"{name}.parquet", ["said"]
    )
    return outcome


def _run(words: list[str], place: Path, again: bool, threads: int, before: float) -> Outcome:
    where = ["--out", str(place), *(["--resume"] if again else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    began = time.monotonic()
    reading, held = os.pipe()
    try:
        ended = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "mercuric.studies.child", *words, *where],
            env=environment, stdin=reading, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        os.close(reading)
        os.close(held)
    seconds = before + time.monotonic() - began
    return Outcome(command=_typed(words), seconds=seconds, said=_said(ended))


def _typed(words: list[str]) -> str:
    return f"mercuric {shlex.join(words)}"


def _said(ended: subprocess.CompletedProcess[str]) -> str | None:
    """Why it failed; None where it did not."""
    if ended.returncode == 0:
        return None
    if ended.returncode < 0:
        return f"it was killed by {signal.Signals(-ended.returncode).name}"
    lines = [line.strip() for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
    return lines[-1].removeprefix("mercuric: ") if lines else "it ended without a word"
