"""How do the circuits leave the package? As Verilog, each with a test bench that checks itself."""

from pathlib import Path

from mercuric.errors import ArgumentError
from mercuric.files.writing import write_text
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.testbench import testbench
from mercuric.rtl.verilog import write_verilog

KINDS: dict[str, type[SynchronousArray] | type[BaselineArray]] = {
    "mercury": SynchronousArray,
    "baseline": BaselineArray,
}
"""Circuits by the names of their modules and files."""


def write_circuits(circuit: Parameters, folder: Path, scopes: int, filters: int, seed: int) -> list[Path]:
    """MERCURY's array in the synchronous design and the array without it, on the same drawn layer.

    Args:
        circuit: sizes and options.
        folder: a new or an empty one.
        scopes: of the layer.
        filters: of each scope.
        seed: of its numbers.

    Returns:
        The files of the circuits; beside ``NAME.v`` lies ``NAME_testbench.v``.

    Raises:
        ValueError: there is something in the folder, or a number is out of range.
        MissingPackage: Yosys is not installed.
    """
    for name, value in (("scopes", scopes), ("filters", filters)):
        if not 1 <= value < 2**16:
            raise ArgumentError(f"{name} was {value}, but must be from 1 to {2**16 - 1}")
    if seed < 0:
        raise ArgumentError(f"seed was {seed}, but must be at least 0")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"out was {folder}, but must be a new folder or an empty one")
    folder.mkdir(parents=True, exist_ok=True)
    stimulus = Stimulus.drawn(circuit, scopes, filters, seed)
    written = []
    for name, kind in KINDS.items():
        array, path = kind(circuit), folder / f"{name}.v"
        write_verilog(array, name, path)
        write_text(folder / f"{name}_testbench.v", testbench(circuit, array, name, stimulus))
        written.append(path)
    return written
