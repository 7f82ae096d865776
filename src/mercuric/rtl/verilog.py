"""How does a circuit become Verilog?"""

from pathlib import Path

from amaranth.lib.wiring import Component, In

from mercuric.files.writing import write_text
from mercuric.rtl.modules import circuit_text
from mercuric.rtl.yosys import run_yosys

_PASSES = ("proc -nomux -norom", "memory_collect", "opt_clean -purge")


def write_verilog(circuit: Component, name: str, path: Path) -> None:
    """Write ``circuit`` as the module ``name``, with all that it is made of, each component once.

    Its ports are those of the circuit, ``clk`` and ``rst``.

    Raises:
        MissingPackage: Yosys is not installed.
        MercuricError: it fails.
    """
    source = path.with_suffix(".il")
    write_text(source, circuit_text(circuit, name))
    try:
        passes = [f"read_rtlil {source.name}", *_PASSES, f"write_verilog -norename -noattr {path.name}"]
        run_yosys(passes, f"write {path}", folder=path.parent)
    finally:
        source.unlink()


def ports(circuit: Component) -> dict[str, tuple[str, int]]:
    """Each port's direction and width; those of no bits are not there."""
    found = {}
    for (name, *_), member, value in circuit.signature.flatten(circuit):
        width = len(value.as_value() if hasattr(value, "as_value") else value)
        if width:
            found[str(name)] = ("input" if member.flow is In else "output", width)
    return found
