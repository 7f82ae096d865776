"""Whose MCACHE is it where hits are counted on an accelerator: the simulation's, or the run's own?"""

from pathlib import Path

from mercuric.accelerator.hardware import Accelerator, as_accelerator, presets
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, ReuseConfig
from mercuric.reuse.alike.config import require_alike
from mercuric.reuse.config import PresetName, as_config
from mercuric.similarity import MCache


def simulated_config(config: ReuseConfig | PresetName | None, accelerator: Accelerator) -> Alike:
    """The configuration that a simulation runs: :meth:`Alike.paper` by default, in the accelerator's
    MCACHE.

    Saved Hitmaps stand for all three products, unless batches come with a loss. Fully connected layers are
    cut as the accelerator cuts them.

    Raises:
        ValueError: the configuration gives another ``entries``, ``ways`` or ``weight_blocks``, or is of
            another method than MERCURY, which accelerators know nothing of.
    """
    asked = require_alike(as_config("paper" if config is None else config))
    for field in accelerators_own(accelerator):
        given, own = getattr(asked, field), getattr(accelerator, field)
        if field in asked.model_fields_set and given != own:
            raise ArgumentError(
                f"{field} of the reuse configuration was {given}, but must be left out, or be the {own} of "
                f"accelerator {accelerator.name!r}: a simulation's {field} are the accelerator's"
            )
    own = {name: getattr(accelerator, name) for name in ("entries", "ways", "weight_blocks")}
    return asked.changed(backward="exact", **own)


def accelerators_own(accelerator: Accelerator) -> tuple[str, ...]:
    """Fields that decide who hits: of the accelerator where one is simulated, else of the reuse."""
    ways = () if accelerator.entries is None else ("ways",)
    return ("entries", *ways, "weight_blocks")


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
