"""Under which assumptions do the paper's three means follow? Every reading of what its text leaves open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.accelerator import Accelerator, as_accelerator
from mercuric.files.dataset import write_part
from mercuric.progress import Progress, named, silent
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.speedups.assumptions.arrays import Array, arrays, digest
from mercuric.studies.speedups.assumptions.assumption import DATAFLOWS, Assumptions, combinations
from mercuric.studies.speedups.assumptions.combined import speedup_table
from mercuric.studies.speedups.assumptions.counts import count_recorded
from mercuric.studies.speedups.assumptions.declared import DECLARED
from mercuric.studies.speedups.assumptions.recording import Recordings
from mercuric.studies.speedups.assumptions.summary import write_summary
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import read_part, resolve
from mercuric.studies.workers import HERE, Workers, finished
from mercuric.subjects.config import shown_name


@dataclass(frozen=True)
class Part:
    """A network on the arrays of one dataflow.

    Attributes:
        model: the network.
        recordings: its Hitmaps, a file a run.
        runs: fields of each run.
        arrays: of one dataflow.
        folder: of all parts.
    """

    model: str
    recordings: Recordings
    runs: Sequence[Mapping[str, Any]]
    arrays: Sequence[Array]
    folder: Path

    @cached_property
    def path(self) -> Path:
        """Where its counts are; no other part's are there."""
        hitmaps = [self.recordings.file(self.model, run).name for run in self.runs]
        return self.folder / f"{shown_name(self.model)}-{self.arrays[0].dataflow}-{digest(hitmaps)}.parquet"

    @property
    def counted(self) -> pd.DataFrame:
        """What is counted; ``array`` names an array by its :func:`digest`.

        Raises:
            MercuricError: the file is damaged.
        """
        return read_part(self.path) if self.path.exists() else pd.DataFrame({"array": []})

    @cached_property
    def missing(self) -> dict[str, Accelerator]:
        """Those of the arrays that are not counted yet, by their digests."""
        known = set(self.counted["array"])
        named = {one.digest: one.accelerator for one in self.arrays}
        return {name: one for name, one in named.items() if name not in known}


@alone
def assumptions_study(
    config: SweepConfig,
    folder: Path,
    workers: Workers = HERE,
    resume: bool = False,
    progress: Progress = silent,
    assumptions: Assumptions = DECLARED,
) -> dict[str, Any]:
    """Count every combination of the assumptions on every network; write the folder, return its summary.

    A network runs once for each way to find Hitmaps, which are recorded; each array that some combination has
    counts them once. Combinations are sums of these counts.

    Args:
        config: networks and data; varies nothing.
        folder: gets ``config.yaml``, Hitmaps in ``hitmaps/``, cycles in ``counts/``, and the files of
            :mod:`~.summary`.
        workers: who counts the networks, each one's own.
        resume: what was recorded and counted is read; the list of assumptions may have grown.
        progress: told after each network and dataflow, and after each layer where there is one process.
        assumptions: what is left open.

    Returns:
        What :func:`~.summary.write_summary` does.

    Raises:
        ValueError: a wrong setting, found before anything runs.
        MercuricError: the folder holds another run, files are missing, or a process was killed.
        OSError: the folder can't be written.
    """
    resolved = resolve(config)
    built, refused = arrays(assumptions, as_accelerator(config.accelerator))
    claim_folder(folder, config, resume, resolved=resolved)
    recordings = Recordings(config, resolved, folder / "hitmaps")
    runs = [assumptions.fields(run, "run") for run in combinations(assumptions.on("run"))]
    parts = [
        Part(model, recordings, runs, built[dataflow], folder / "counts")
        for model in config.models
        for dataflow in DATAFLOWS
    ]
    _count_missing(parts, workers, folder, progress)
    tables = {
        dataflow: speedup_table(assumptions, dataflow, built[dataflow], _read(parts, dataflow))
        for dataflow in DATAFLOWS
    }
    return write_summary(folder, config, assumptions, tables, refused, hits(_read(parts, DATAFLOWS[0])))


def _read(parts: Sequence[Part], dataflow: str) -> pd.DataFrame:
    tables = [part.counted.assign(model=part.model) for part in parts if part.arrays[0].dataflow == dataflow]
    return pd.concat(tables, ignore_index=True)


def _count_missing(parts: Sequence[Part], workers: Workers, folder: Path, progress: Progress) -> None:
    missing: dict[str, list[Part]] = {}
    for part in parts:
        if part.missing:
            missing.setdefault(part.model, []).append(part)
    done = len(parts) - sum(map(len, missing.values()))
    progress(done, len(parts), next(iter(missing), ""))
    tell = progress if workers.here else silent
    for counted in finished(partial(count_network, progress=tell), missing.values(), workers, folder):
        done += len(counted)
        progress(done, len(parts), counted[0].model)


def count_network(parts: list[Part], progress: Progress = silent) -> list[Part]:
    """Record a network's Hitmaps where they aren't yet, and write the counts of its parts.

    Args:
        parts: of one network.
        progress: told after each layer.
    """
    progress = named(progress, bar=parts[0].model)
    files = parts[0].recordings.files(parts[0].model, parts[0].runs, progress)
    missing = {name: one for part in parts for name, one in part.missing.items()}
    counted = {path: count_recorded(path, missing, progress) for path in dict.fromkeys(files)}
    runs = pd.concat([counted[path].assign(run=place) for place, path in enumerate(files)])
    for part in parts:
        own = runs[runs["array"].isin(part.missing)]
        known = [part.counted, own] if part.path.exists() else [own]
        write_part(pd.concat(known, ignore_index=True), part.path)
    return parts


def hits(counted: pd.DataFrame) -> pd.DataFrame:
    """HITs over vectors: ``model``, ``run`` (its place among them), ``hit_rate``."""
    one = counted[counted["array"] == counted["array"].iloc[0]]
    sums = one.groupby(["model", "run"], sort=False)[["HIT", "vectors"]].sum()
    rates: pd.DataFrame = (sums["HIT"] / sums["vectors"]).rename("hit_rate").reset_index()
    return rates
