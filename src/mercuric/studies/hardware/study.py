"""How do the circuits leave the package? As Verilog, each with a test bench that checks itself."""

from dataclasses import replace
from pathlib import Path

from mercuric.errors import ArgumentError
from mercuric.files.writing import write_text
from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.script import Script, asynchronous_script, synchronous_script
from mercuric.rtl.stimulus import Stimulus
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.testbench import Array, testbench
from mercuric.rtl.verilog import write_verilog

_BUFFERS = 2
"""Input buffers of an asynchronous PE set (paper Fig. 11)."""


def write_circuits(circuit: Parameters, folder: Path, scopes: int, filters: int, seed: int) -> list[Path]:
    """MERCURY's array in both designs and the array without it, on the same drawn layer.

    Args:
        circuit: sizes and options; the synchronous design has one version.
        folder: a new or an empty one.
        scopes: of the layer; the asynchronous design has an input buffer for each, and two at least.
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
    for name, (array, script) in _circuits(circuit, stimulus).items():
        path = folder / f"{name}.v"
        write_verilog(array, name, path)
        write_text(folder / f"{name}_testbench.v", testbench(array, name, script))
        written.append(path)
    return written


def _circuits(circuit: Parameters, stimulus: Stimulus) -> dict[str, tuple[Array, Script]]:
    """By the names of their modules and files; and what is done with each."""
    one, buffers = replace(circuit, versions=1), max(_BUFFERS, stimulus.shape.scopes)
    return {
        "mercury": (SynchronousArray(one), synchronous_script(one, stimulus, reuse=True)),
        "baseline": (BaselineArray(one), synchronous_script(one, stimulus, reuse=False)),
        "asynchronous": (
            AsynchronousArray(circuit, buffers),
            asynchronous_script(circuit, stimulus, buffers),
        ),
    }
