"""How large is a circuit on a Virtex 7, and how deep? By Yosys, without place and route (Tables II to IV)."""

import json
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.lib.wiring import Component

from mercuric.errors import MercuricError
from mercuric.files.writing import write_text
from mercuric.rtl.modules import circuit_text, component
from mercuric.rtl.yosys import run_yosys


@dataclass(frozen=True)
class Resources:
    """Parts of a Virtex 7.

    Attributes:
        luts: look-up tables, also those that are memory, shift registers or inverters. A LUT with two
            outputs counts as two: Yosys doesn't pack them.
        registers: flip-flops of slices; those in DSPs and block RAMs are none.
        block_rams: of 36 Kb; one of 18 Kb is half of one.
        dsps: DSP48E1.
    """

    luts: int = 0
    registers: int = 0
    block_rams: float = 0
    dsps: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            self.luts + other.luts,
            self.registers + other.registers,
            self.block_rams + other.block_rams,
            self.dsps + other.dsps,
        )

    def __mul__(self, times: int) -> "Resources":
        return Resources(
            self.luts * times, self.registers * times, self.block_rams * times, self.dsps * times
        )


@dataclass(frozen=True)
class Share:
    """What a component has of a circuit.

    Attributes:
        instances: how many there are.
        resources: of them all, without those of the components of which they are made.
    """

    instances: int
    resources: Resources


@dataclass(frozen=True)
class Synthesis:
    """What Yosys makes of a circuit.

    Attributes:
        total: everything.
        components: whose it is, by the component's name.
        depth: LUTs, carries, multiplexers and multipliers on the longest path between registers.
    """

    total: Resources
    components: dict[str, Share]
    depth: int


def synthesize(circuit: Component, time_limit: float | None = None) -> Synthesis:
    """Synthesize ``circuit`` for a Virtex 7, each component once; as :func:`synthesize_text`.

    Args:
        circuit: not in use elsewhere.
        time_limit: in seconds, of Yosys.

    Raises:
        MissingPackage, OutOfTime, MercuricError: as there.
    """
    return synthesize_text(text_of(circuit), time_limit)


def text_of(circuit: Component) -> str:
    """The circuit in RTLIL, each component once: what Yosys reads."""
    return circuit_text(circuit, _TOP)


def synthesize_text(text: str, time_limit: float | None = None) -> Synthesis:
    """Synthesize a circuit for a Virtex 7.

    Components stay apart: flattened, Yosys would make one of registers that always hold the same, as those
    of PE sets that wait for each other, which the hardware has.

    Args:
        text: as :func:`text_of` writes it.
        time_limit: in seconds, of Yosys.

    Raises:
        MissingPackage: Yosys is not installed.
        OutOfTime: it was stopped.
        MercuricError: it fails, or uses a part that is not counted here.
    """
    with TemporaryDirectory() as folder:
        source, statistics, path = (Path(folder) / name for name in ("circuit.il", "cells.json", "path"))
        write_text(source, text)
        passes = [
            f"read_rtlil {source}",
            "rename -hide w:*",  # a wire may be called as a bit of another one, which ABC9 doesn't bear
            f"hierarchy -check -top {_TOP}",
            "synth_xilinx -family xc7 -noiopad -noclkbuf -widemux 5",
            f"tee -q -o {statistics} stat -json",
            "flatten",
            "delete t:FD* t:SRL* t:RAMB*",
            f"python {_CUT_PATHS}",
            f"tee -q -o {path} ltp -noff",
        ]
        run_yosys(passes, "synthesize the circuit", time_limit)
        found = json.loads(statistics.read_text())
        depth = int(path.read_text().split("(length=")[1].split(")")[0])
    cells = {
        name.removeprefix("\\"): module["num_cells_by_type"] for name, module in found["modules"].items()
    }
    components: dict[str, Share] = {}
    for module, times in _instances(cells).items():
        name = component(module)
        name = _NAMES.get(name, name.replace("_", " "))
        before = components.get(name, Share(0, Resources()))
        components[name] = Share(
            before.instances + times, before.resources + _resources(cells[module], cells) * times
        )
    total = _resources(found["design"]["num_cells_by_type"], cells)
    return Synthesis(total, components, depth)


def _instances(cells: dict[str, dict[str, int]]) -> Counter[str]:
    """How often each module is in the whole circuit."""
    found: Counter[str] = Counter()

    def count(module: str, times: int) -> None:
        found[module] += times
        for kind, number in cells[module].items():
            if kind in cells:
                count(kind, times * number)

    count(_TOP, 1)
    return found


def _resources(counts: dict[str, int], modules: Container[str]) -> Resources:
    """Of a module's own cells."""
    found = Resources()
    for kind, count in counts.items():
        if kind not in modules:
            if kind not in _CELLS:
                raise MercuricError(f"Yosys used {kind}, of which it isn't known what it takes", exit_code=1)
            found += _CELLS[kind] * count
    return found


_TOP = "array"
_NAMES = {
    "array": "array",
    "pe": "processing element",
    "terms": "multiplier",
    "pe_set": "PE set",
    "set": "MCACHE set",
    "mcache_tags": "MCACHE tags",
    "mcache_results": "MCACHE results: VD, arbiters",
    "store": "MCACHE results: ports",
    "words": "MCACHE results: 16 words",
    "queue": "insertion queue",
    "signature_table": "Signature Table",
    "hitmap": "Hitmap",
    "busy_map": "BusyMap",
}
"""What components are called, where that isn't the submodule's name."""
_LUTS = {
    **dict.fromkeys(["INV", *(f"LUT{inputs}" for inputs in range(1, 7))], 1),
    **dict.fromkeys(["SRL16E", "SRLC16E", "SRLC32E", "RAM32X1S", "RAM64X1S"], 1),
    **dict.fromkeys(["RAM32X1D", "RAM64X1D", "RAM128X1S"], 2),
    **dict.fromkeys(["RAM32M", "RAM64M", "RAM128X1D", "RAM256X1S"], 4),
}
_CELLS = {
    **{kind: Resources(luts=luts) for kind, luts in _LUTS.items()},
    **dict.fromkeys(["FDRE", "FDSE", "FDCE", "FDPE"], Resources(registers=1)),
    **dict.fromkeys(["CARRY4", "MUXF7", "MUXF8", "GND", "VCC"], Resources()),
    "RAMB36E1": Resources(block_rams=1),
    "RAMB18E1": Resources(block_rams=0.5),
    "DSP48E1": Resources(dsps=1),
}
"""What cells take of a slice (UG474), a block RAM (UG473) or a DSP (UG479); carries and wide multiplexers
stand beside LUTs and are not counted."""
_CUT_PATHS = """for cell in list(design.top_module().cells_.values()):
    kind, ports = cell.type.str()[1:], [port.str()[1:] for port in cell.connections_.keys()]
    if kind == "DSP48E1" and any(
        cell.getParam(libyosys.IdString(name)).as_int() for name in ("\\\\MREG", "\\\\PREG")
    ):
        design.top_module().remove(cell)
    elif kind.startswith("RAM"):
        for port in set(ports) - {"ADDRA", "ADDRB", "ADDRC", "DOA", "DOB", "DOC", "DPRA", "DPO"}:
            cell.unsetPort(libyosys.IdString("\\\\" + port))
"""
"""What is written to a memory, and a product that a register keeps, goes on in the next cycle."""
