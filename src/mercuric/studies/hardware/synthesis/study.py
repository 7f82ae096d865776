"""What do the baseline and MERCURY take of an FPGA, MCACHE by MCACHE? The paper's Tables II to IV (a)."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from amaranth.lib.wiring import Component

from mercuric.accelerator.energy.virtex7 import design_name
from mercuric.errors import ArgumentError
from mercuric.files.json_text import json_text
from mercuric.files.reading import read_json_object
from mercuric.files.writing import write_text
from mercuric.progress import Progress, silent
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.synthesis import synthesize_text, text_of
from mercuric.rtl.yosys import OutOfTime
from mercuric.studies.hardware.synthesis.cache import cached, yosys_version
from mercuric.studies.hardware.synthesis.config import SETS, WAYS, SynthesisConfig
from mercuric.studies.hardware.synthesis.tables import SUMMARY, write_tables
from mercuric.studies.machine import machine
from mercuric.studies.run_folder import alone, claim_folder
from mercuric.studies.workers import HERE, Workers, finished


@dataclass(frozen=True)
class Circuit:
    """One that is synthesized.

    Attributes:
        config: what all have alike.
        sets: of its MCACHE; None: the baseline.
        ways: of a set.
    """

    config: SynthesisConfig
    sets: int | None = None
    ways: int | None = None

    @property
    def name(self) -> str:
        """As the paper's designs are called."""
        return design_name(self.sets, self.ways)

    @property
    def file(self) -> str:
        """The name of its results."""
        return "baseline.json" if self.sets is None else f"{self.sets}x{self.ways}.json"

    def made(self) -> Component:
        """Itself; the baseline's MCACHE means nothing."""
        one = self.config.parameters(self.sets or SETS, self.ways or WAYS)
        return BaselineArray(one) if self.sets is None else SynchronousArray(one)


@alone
def synthesize_designs(
    config: SynthesisConfig,
    folder: Path,
    cache: Path,
    workers: Workers = HERE,
    resume: bool = False,
    time_limit: float | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Synthesize the baseline and every MCACHE; write tables and ``synthesis.json``, return what it says.

    Args:
        config: the circuits.
        folder: gets ``config.yaml``, a file a circuit in ``circuits/``, and the tables.
        cache: where results of circuits lie, whichever run they were of.
        workers: who synthesizes the circuits, each of which takes up to 3 GB where it is the paper's size.
        resume: circuits that are there already are read, not synthesized again.
        time_limit: seconds that one circuit may take; those that take longer are left out.
        progress: told after each circuit.

    Returns:
        ``config``, ``yosys`` (its version), ``machine``, ``circuits`` in order, the baseline first, and
        ``ran_out``, the names of those that took longer.

    Raises:
        ValueError: a wrong setting, found before anything runs.
        MissingPackage: Yosys is not installed.
        MercuricError: the folder holds another run, Yosys fails, or a process was killed.
        OSError: the folder can't be written.
    """
    if time_limit is not None and time_limit <= 0:
        raise ArgumentError(f"time_limit was {time_limit:g}, but must be more than 0 seconds")
    yosys = yosys_version()
    circuits = [Circuit(config), *(Circuit(config, *sizes) for sizes in config.designs())]
    claim_folder(folder, config, resume, resolved={"yosys": yosys})
    there = folder / "circuits"
    missing = [one for one in circuits if not (there / one.file).exists()]
    done = len(circuits) - len(missing)
    progress(done, len(circuits), missing[0].name if missing else "")
    work = partial(synthesize_circuit, folder=there, cache=cache, time_limit=time_limit)
    for number, one in enumerate(finished(work, missing, workers, folder), start=done + 1):
        progress(number, len(circuits), one.name)
    summary: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "yosys": yosys,
        "machine": machine(),
        "circuits": [_described(one, there) for one in circuits if (there / one.file).exists()],
        "ran_out": [one.name for one in circuits if not (there / one.file).exists()],
    }
    write_text(folder / SUMMARY, json_text(summary))
    write_tables(summary["circuits"], folder)
    return summary


def _described(circuit: Circuit, folder: Path) -> dict[str, Any]:
    about = {"name": circuit.name, "sets": circuit.sets, "ways": circuit.ways}
    return {**about, **read_json_object(folder / circuit.file)}


def synthesize_circuit(
    circuit: Circuit, folder: Path, cache: Path, time_limit: float | None = None
) -> Circuit:
    """Write what the circuit takes into ``folder``, or nothing where the time is up before that is known."""
    try:
        found = cached(text_of(circuit.made()), cache, partial(synthesize_text, time_limit=time_limit))
    except OutOfTime:
        return circuit
    write_text(folder / circuit.file, json_text(found))
    return circuit
