"""What must a simulator's form tell?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mercuric.accelerator.exports.product import ExportedProduct
from mercuric.accelerator.hardware import Accelerator
from mercuric.progress import Progress

Files = Mapping[str, Sequence[ExportedProduct]]
"""Products by the name of their file, without its ending; no two products have the same name."""


@dataclass(frozen=True)
class ToolCost:
    """What a simulator says of one product of a file, once.

    Attributes:
        cycles: clock cycles.
        energy: in the unit of the accelerator's energies; None: it says none.
    """

    cycles: float
    energy: float | None = None


def once(_: ExportedProduct) -> int:
    """A product that a file has whole."""
    return 1


@dataclass(frozen=True)
class Form:
    """The files that one simulator reads.

    Attributes:
        name: what ``--to`` calls it.
        tool: the simulator's name, and the version that the form is of.
        how: how it is run on the files, for their README.
        path: of a product, in the folder.
        write: writes all files into a folder, for an accelerator.
        repeats: how often a product is computed for each time that it stands in a file.
        costs: runs the simulator on the files: costs by the products' names; None: it can't be run from here.
        package: what must be importable for that.
    """

    name: str
    tool: str
    how: str
    path: Callable[[ExportedProduct], str]
    write: Callable[[Files, Path, Accelerator], None]
    repeats: Callable[[ExportedProduct], int] = once
    costs: Callable[[Files, Path, Accelerator, Progress], dict[str, ToolCost]] | None = None
    package: str = ""
