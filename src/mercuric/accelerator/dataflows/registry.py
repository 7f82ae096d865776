"""How do accelerators get a dataflow?"""

from typing import cast

from mercuric.accelerator.dataflows.dataflow import Dataflow
from mercuric.accelerator.dataflows.names import DATAFLOWS, dataflow_named
from mercuric.accelerator.hardware import Accelerator
from mercuric.errors import ArgumentError

_MEMBERS = tuple(member for member in vars(Dataflow) if not member.startswith("_"))


def register_dataflow(dataflow: Dataflow) -> None:
    """Let accelerators have this dataflow.

    Raises:
        ValueError: it lacks something of a :class:`Dataflow`, or another one has its name.
    """
    name = getattr(dataflow, "name", type(dataflow).__name__)
    if missing := [member for member in _MEMBERS if not hasattr(dataflow, member)]:
        raise ArgumentError(
            f"dataflow {name!r} has no {', '.join(missing)}, but must have {', '.join(_MEMBERS)}"
        )
    if DATAFLOWS.get(name, dataflow) is not dataflow:
        raise ArgumentError(f"name of a dataflow was {name!r}, but must be one that no other has")
    DATAFLOWS[name] = dataflow


def dataflow_of(accelerator: Accelerator) -> Dataflow:
    """The dataflow by which an accelerator works.

    Raises:
        ValueError: its dataflow is none that is registered (any more).
    """
    found = dataflow_named(accelerator.dataflow, f"dataflow of accelerator {accelerator.name!r}")
    return cast("Dataflow", found)  # none is registered that is less
