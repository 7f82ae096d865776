"""On which accelerator is a run counted whose Hitmaps come from its own MCACHE?"""

from pathlib import Path

from mercuric.accelerator.hardware import Accelerator, as_accelerator, presets
from mercuric.errors import ArgumentError
from mercuric.similarity import MCache


def in_runs_mcache(accelerator: str | Path | Accelerator, mcache: MCache) -> Accelerator:
    """A preset with the run's MCACHE; who describes an accelerator says what it has, so it must be the run's.

    A simulation is the other way round: there the accelerator's MCACHE decides who hits.

    Args:
        accelerator: as for :func:`~mercuric.accelerator.as_accelerator`.
        mcache: in which the run looks its signatures up.

    Raises:
        ValueError: an unknown accelerator, or one that is described with another MCACHE.
    """
    own = as_accelerator(accelerator)
    if own.name in {one.name for one in presets()}:
        return own.changed(entries=mcache.entries, ways=mcache.ways)
    if own.mcache != mcache:
        raise ArgumentError(
            f"reuse has an MCACHE of entries={mcache.entries}, ways={mcache.ways}, but must have the "
            f"entries={own.entries}, ways={own.ways} of accelerator {own.name!r}: a training run's Hitmaps "
            "come from its own MCACHE"
        )
    return own
