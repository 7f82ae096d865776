"""Which layers leave some of several arrays without work?"""

from typing import TYPE_CHECKING, Any

from mercuric.accelerator.arrays import busy
from mercuric.accelerator.hardware import Accelerator
from mercuric.trace.layer_call import LayerCall

if TYPE_CHECKING:
    import pandas as pd


class IdleArrays:
    """Notes of every layer how many arrays have a share of it.

    Args:
        accelerator: whose arrays they are.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._busy: dict[str, int] = {}

    def add(self, call: LayerCall) -> None:
        """Note one call; of several of a layer the one that leaves most arrays idle counts."""
        least = self._busy.get(call.layer, self._accelerator.arrays)
        self._busy[call.layer] = min(least, busy(self._accelerator, call.work))

    def table(self) -> "pd.DataFrame":
        """A layer a row: ``layer`` and ``arrays_busy``, how many arrays work on it."""
        import pandas as pd

        return pd.DataFrame({"layer": list(self._busy), "arrays_busy": list(self._busy.values())})

    def summary(self) -> dict[str, Any]:
        """How many arrays there are, what they split, and how many are idle in which layers, for JSON."""
        arrays = self._accelerator.arrays
        idle = {layer: arrays - busy for layer, busy in self._busy.items() if busy < arrays}
        return {"arrays": {"arrays": arrays, "split_by": self._accelerator.split_by, "idle": idle}}
