"""By which configuration is similarity found on an accelerator?"""

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse import ReuseConfig
from mercuric.reuse.config import PresetName, as_config


def simulated_config(config: ReuseConfig | PresetName | None, accelerator: Accelerator) -> ReuseConfig:
    """The configuration that a simulation runs: :meth:`ReuseConfig.paper` by default, in the accelerator's
    MCACHE.

    There are no labels, so no gradient vectors: the saved Hitmaps stand for all three products.

    Raises:
        ValueError: the configuration gives another ``entries`` or ``ways``, or principal directions, which
            no accelerator computes.
    """
    asked = as_config("paper" if config is None else config)
    if asked.principal is not None:
        raise ArgumentError(
            "principal was given, but must be None in a simulation: accelerators compare vectors, and "
            "compute in no principal directions"
        )
    for field in ("entries",) if accelerator.entries is None else ("entries", "ways"):
        given, own = getattr(asked, field), getattr(accelerator, field)
        if field in asked.model_fields_set and given != own:
            raise ArgumentError(
                f"{field} of the reuse configuration was {given}, but must be left out, or be the {own} of "
                f"accelerator {accelerator.name!r}: a simulation's MCACHE is the accelerator's"
            )
    own_cache = {"entries": accelerator.entries, "ways": accelerator.ways}
    return asked.changed(backward="exact", **own_cache)
