"""How does a circuit do a whole layer? Verilator compiles it, with a driver that takes data from files."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, which
from signal import SIGKILL
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercuric.errors import MercuricError
from mercuric.extras import MissingPackage
from mercuric.files.writing import replacing, write_text
from mercuric.progress import Progress, silent
from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.driver_header import driver_header
from mercuric.rtl.layer_data import LayerData, word_type
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.verilog import write_verilog

_DRIVER = Path(__file__).with_name("driver.cpp")
_BUILT = "build"
_PARTS = "Verilog", "C++", "program", "cycles"
_OPTIONS = (
    "--cc", "--exe", "--threads", "1", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert",
    "-Wno-fatal", "-Wno-lint", "-Wno-UNOPTFLAT", "--output-split", "20000", "--top-module", "circuit",
    "--Mdir", _BUILT,
)  # fmt: skip
_COMPILED = "OPT_FAST=-O2", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2"


@dataclass(frozen=True)
class Simulated:
    """What a circuit did with a layer.

    Attributes:
        states: uint8, (scopes, vectors): the Hitmap; as it was given, where it was saved.
        entries: uint32, (scopes, vectors): its entry ids.
        results: words, (scopes, filters, vectors).
        signature: cycles of the signatures; 0 in the asynchronous design, where they are among the others.
        product: all others that the circuit counted.
        clocks: cycles that were simulated, those too in which vectors are loaded, which nobody counts.
        seconds: that they took.
        computed: results that were computed; the others were read.
        wrong: results that left early, or out of their order, and those and answers that are missing.
    """

    states: NDArray[np.uint8]
    entries: NDArray[np.uint32]
    results: NDArray[Any]
    signature: int
    product: int
    clocks: int
    seconds: float
    computed: int
    wrong: int

    @classmethod
    def read(cls, folder: Path, said: dict[str, Any], circuit: Parameters, data: LayerData) -> "Simulated":
        """What the driver wrote and said."""
        shape = data.shape
        of_vectors, of_results = (shape.scopes, shape.vectors), (shape.scopes, shape.filters, shape.vectors)
        states = np.fromfile(folder / "states.bin", np.uint8).reshape(of_vectors)
        entries = np.fromfile(folder / "entries.bin", np.uint32).reshape(of_vectors)
        results = np.memmap(folder / "results.bin", word_type(circuit), "r", shape=of_results)
        answers = 0 if data.saved else states.size
        missing = abs(results.size - said["given"]) + abs(answers - said["answered"])
        return cls(
            states, entries, results, said["signature_cycles"],
            said["queue_cycles"] + said["product_cycles"], said["clocks"], said["seconds"], said["computed"],
            said["early"] + said["misplaced"] + missing,
        )  # fmt: skip


def require_verilator() -> None:
    """Refuse what can't be compiled here.

    Raises:
        MissingPackage: Verilator, or what it needs to compile, is not on the PATH.
    """
    for program in ("verilator", "make", "c++"):
        if which(program) is None:
            raise MissingPackage(
                f"a layer in Verilator needs the program {program}, which is not on the PATH; Debian and "
                "Ubuntu have it in the packages verilator, make and g++"
            )


def simulate(
    circuit: Parameters,
    data: LayerData,
    cycles: int,
    folder: Path,
    time_limit: float,
    progress: Progress = silent,
) -> Simulated:
    """Let a circuit do a whole layer: with a saved Hitmap the asynchronous one, else the synchronous one.

    Args:
        circuit: sizes and options, with room for the layer.
        data: the layer.
        cycles: that it should take; after some times as many the driver gives up.
        folder: gets Verilog, C++, the program, and what goes in and comes out.
        time_limit: seconds in which all must be done.
        progress: told of each step.

    Raises:
        MissingPackage: Verilator or Yosys is not there.
        MercuricError: the circuit can't be compiled, takes too many cycles, or time runs out.
    """
    require_verilator()
    until, name = monotonic() + time_limit, "circuit in Verilator"
    array = AsynchronousArray(circuit, data.shape.scopes) if data.saved else SynchronousArray(circuit)
    progress(0, len(_PARTS), _PARTS[0], name)
    write_verilog(array, "circuit", folder / "circuit.v")
    loads = data.shape.scopes * data.shape.vectors * (circuit.kernel_columns + 1)
    write_text(folder / "layer.h", driver_header(circuit, array, data, 4 * (cycles + loads) + 1000))
    copyfile(_DRIVER, folder / _DRIVER.name)
    _write_data(circuit, data, folder)
    flags = ["-CFLAGS", f"-I{folder.resolve()}"]
    for place, command in (
        (1, ["verilator", *_OPTIONS, *flags, "circuit.v", _DRIVER.name]),
        (2, ["make", "-C", _BUILT, "-f", "Vcircuit.mk", f"-j{_cores()}", *_COMPILED, "Vcircuit"]),
    ):
        progress(place, len(_PARTS), _PARTS[place], name)
        _compile(command, folder, until)
    progress(3, len(_PARTS), _PARTS[3], name)
    said = _drive(folder, until, progress)
    progress(len(_PARTS), len(_PARTS), "", name)
    return Simulated.read(folder, said, circuit, data)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_data(circuit: Parameters, data: LayerData, folder: Path) -> None:
    word, numbers = word_type(circuit), data.numbers
    mask = (1 << circuit.word_bits) - 1
    random_filters = numbers.random_filters[: 0 if data.saved else None]
    contents: dict[str, NDArray[Any]] = {
        "vectors": (numbers.vectors & mask).astype(word), "filters": (numbers.filters & mask).astype(word),
        "random_filters": (random_filters & mask).astype(word),
    }  # fmt: skip
    if data.saved:
        contents["states"] = data.hitmap.states.numpy()
        contents["entries"] = data.entries(circuit).astype(np.uint32)
    for name, values in contents.items():
        with replacing(folder / f"{name}.bin") as temporary:
            np.ascontiguousarray(values).tofile(temporary)


def _compile(command: Sequence[str], folder: Path, until: float) -> None:
    log = folder / "compile.log"
    with _running(command, folder, log) as process:
        process.wait(max(0, until - monotonic()))
    if process.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "rror" in line]
        said = lines[0].strip() if lines else "nothing"
        raise MercuricError(f"{command[0]} could not compile the circuit in {folder}: it said {said!r}", 1)


def _drive(folder: Path, until: float, progress: Progress) -> dict[str, Any]:
    """Run the driver, which tells how many filters were taken, and at last what it counted."""
    last, log = "", folder / "driver.log"
    with _running([f"./{_BUILT}/Vcircuit"], folder, log, subprocess.PIPE) as process:
        for line in process.stdout or ():
            if monotonic() > until:
                raise subprocess.TimeoutExpired("the driver", 0)
            last = line
            if not line.startswith("{"):
                done, total = map(int, line.split())
                progress(done, total, "filters", "layer")
    if process.returncode:
        said = (log.read_text(errors="replace").splitlines() or ["nothing"])[-1]
        raise MercuricError(f"the circuit did not do the layer: {said}", 1)
    counted: dict[str, Any] = json.loads(last)
    return counted


@contextmanager
def _running(
    command: Sequence[str], folder: Path, log: Path, output: int | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A process that, with those that it starts, doesn't outlive the block."""
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603
            list(command), cwd=folder, stdout=output or errors, stderr=errors, text=True,
            start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise MercuricError(
                f"time ran out while {Path(command[0]).name} worked on the circuit: give time_limit more "
                "seconds, or choose a smaller image, layer or array", 1,
            ) from None  # fmt: skip
