"""Where are a network's Hitmaps recorded, so that every array counts the same ones?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercuric.accelerator import as_accelerator
from mercuric.accelerator.count.similarity_tally import SimilarityTally
from mercuric.accelerator.mcache_owner import simulated_config
from mercuric.progress import Progress, silent
from mercuric.reuse import Alike
from mercuric.studies.speedups.assumptions.arrays import digest
from mercuric.studies.sweep.config import SweepConfig
from mercuric.subjects.config import shown_name
from mercuric.subjects.subject import load_subject
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.store import HitmapWriter, SavedHitmaps
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls

_RESTS_ON = ("images", "batch", "image_size", "seed")
"""Fields of a configuration that Hitmaps depend on, beside what its names stand for."""


@dataclass(frozen=True)
class Recordings:
    """The Hitmaps of a study's networks.

    Attributes:
        config: networks and data.
        resolved: what its names stand for.
        folder: a Parquet file each.
    """

    config: SweepConfig
    resolved: Mapping[str, Any]
    folder: Path

    def file(self, model: str, run: Mapping[str, Any]) -> Path:
        """The file of a network that runs so; no other Hitmaps have its name.

        Args:
            model: the network.
            run: ``normalisation``.
        """
        fields = {name: getattr(self.config, name) for name in _RESTS_ON}
        found = simulated_config(Alike.paper(bits=self.config.bits), as_accelerator(self.config.accelerator))
        names = {
            name: self.resolved[name] for name in ("weights", "data", "networks") if name in self.resolved
        }
        described = [model, run, fields, found.model_dump(mode="json"), names, "reloads"]
        return self.folder / f"{shown_name(model)}-{run['normalisation']}-{digest(described)}.parquet"

    def files(self, model: str, runs: Sequence[Mapping[str, Any]], progress: Progress = silent) -> list[Path]:
        """The file of each run, made where it isn't there.

        Where no layer normalises by statistics of a batch, all runs are the first.
        """
        first, *others = runs
        files = [self._made(model, first, progress)]
        for run in others:
            alike = SavedHitmaps(files[0]).facts.normalisation == "none"
            files.append(files[0] if alike else self._made(model, run, progress))
        return files

    def _made(self, model: str, run: Mapping[str, Any], progress: Progress) -> Path:
        target = self.file(model, run)
        if not target.exists():
            record(self.config, model, run, target, progress)
        return target


def record(
    config: SweepConfig, model: str, run: Mapping[str, Any], target: Path, progress: Progress = silent
) -> None:
    """Run a network once, and write its Hitmaps to ``target``; ``progress`` is told of each layer."""
    subject = load_subject(config.subject_of(model), config.images, config.batch)
    found = simulated_config(Alike.paper(bits=config.bits), as_accelerator(config.accelerator))
    tally = SimilarityTally()
    calls = NetworkCalls(
        subject.network, subject.batches(), found, normalisation=run["normalisation"], reloads=True
    )
    layers = sum(not list(one.children()) for one in subject.network.modules())
    told = 0

    def tell(call: LayerCall) -> None:
        nonlocal told
        told += 1
        progress(min(told, layers), layers, call.layer)

    target.parent.mkdir(parents=True, exist_ok=True)
    with HitmapWriter(target, HitmapAbout(subject.described, found)) as writer:
        facts = calls.tell(tally.add, writer.add, tell)
        writer.finish(tally.layers(facts), facts.run)
