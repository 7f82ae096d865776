"""How does a circuit become Verilog?"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib.wiring import Component, In

from mercuric.errors import MercuricError
from mercuric.extras import MissingPackage
from mercuric.files.writing import write_text
from mercuric.rtl.modules import merged

_YOSYS = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in sys.argv[1:]:
    libyosys.run_pass(line, design)
"""
_PASSES = ("proc -nomux -norom", "memory_collect", "opt_clean -purge")


def write_verilog(circuit: Component, name: str, path: Path) -> None:
    """Write ``circuit`` as the module ``name``, with all that it is made of, each component once.

    Its ports are those of the circuit, ``clk`` and ``rst``. Yosys, which says much and ends its process on an
    error, works in one of its own.

    Raises:
        MissingPackage: Yosys is not installed.
        MercuricError: it fails.
    """
    if find_spec("pyosys") is None:
        raise MissingPackage(
            'Verilog needs pyosys, which is not installed; install it with: pip install "mercuric[rtl]"'
        )
    source = path.with_suffix(".il")
    write_text(source, merged(rtlil.convert(circuit, name=name, emit_src=False)))
    lines = [f"read_rtlil {source}", *_PASSES, f"write_verilog -norename -noattr {path}"]
    done = subprocess.run([sys.executable, "-c", _YOSYS, *lines], capture_output=True, text=True)  # noqa: S603
    source.unlink()
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise MercuricError(f"Yosys could not write {path}: it said {said!r}")


def ports(circuit: Component) -> dict[str, tuple[str, int]]:
    """Each port's direction and width; those of no bits are not there."""
    found = {}
    for (name, *_), member, value in circuit.signature.flatten(circuit):
        width = len(value.as_value() if hasattr(value, "as_value") else value)
        if width:
            found[str(name)] = ("input" if member.flow is In else "output", width)
    return found
