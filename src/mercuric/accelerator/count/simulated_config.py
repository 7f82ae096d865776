"""By which configuration is similarity found on an accelerator?"""

from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, ReuseConfig
from mercuric.reuse.alike.config import require_alike
from mercuric.reuse.config import PresetName, as_config


def simulated_config(config: ReuseConfig | PresetName | None, accelerator: Accelerator) -> Alike:
    """The configuration that a simulation runs: :meth:`Alike.paper` by default, in the accelerator's
    MCACHE.

    There are no labels, so no gradient vectors: the saved Hitmaps stand for all three products.

    Raises:
        ValueError: the configuration gives another ``entries`` or ``ways``, or is of another method than
            MERCURY, which accelerators know nothing of.
    """
    asked = require_alike(as_config("paper" if config is None else config))
    for field in ("entries",) if accelerator.entries is None else ("entries", "ways"):
        given, own = getattr(asked, field), getattr(accelerator, field)
        if field in asked.model_fields_set and given != own:
            raise ArgumentError(
                f"{field} of the reuse configuration was {given}, but must be left out, or be the {own} of "
                f"accelerator {accelerator.name!r}: a simulation's MCACHE is the accelerator's"
            )
    own_cache = {"entries": accelerator.entries, "ways": accelerator.ways}
    return asked.changed(backward="exact", **own_cache)
