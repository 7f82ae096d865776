"""On what was a result made?"""

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "processor": "Processor", "cores": "Cores", "memory_gib": "Memory", "python": "Python",
    "ranks": "Processes", "torch": "PyTorch", "mercuric": "Mercuric",
}  # fmt: skip
_OF_SECONDS = ("cores", "memory_gib")


def machine_facts(machine: Mapping[str, Any], timed: bool = False) -> list[tuple[str, str]]:
    """Name and value of what is known of the machine, for the foot of a page.

    Args:
        machine: a result's ``machine`` entry.
        timed: networks were trained, which takes seconds: cores and memory are named as well.
    """
    return [
        (name, f"{machine[key]:.0f} GiB" if key == "memory_gib" else str(machine[key]))
        for key, name in _NAMES.items()
        if machine.get(key) and (timed or key not in _OF_SECONDS)
    ]
