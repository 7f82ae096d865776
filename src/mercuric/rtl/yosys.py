"""How does Yosys work for us? In a process of its own: it says much, and ends its process on an error."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from mercuric.errors import MercuricError
from mercuric.extras import MissingPackage

_SCRIPT = """
import ctypes, signal, sys
if sys.platform == "linux":  # end with whoever waits, also where that is killed
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
from pyosys import libyosys
design = libyosys.Design()
for line in sys.argv[1:]:
    if line.startswith("python "):
        exec(line.removeprefix("python "))
    else:
        libyosys.run_pass(line, design)
"""


class OutOfTime(MercuricError):  # noqa: N818 - what happened, as Diverged
    """Yosys was not done in the time that it was given."""

    def __init__(self, purpose: str, time_limit: float) -> None:
        super().__init__(f"Yosys was to {purpose} and was not done in {time_limit:g} s", exit_code=1)


def run_yosys(passes: list[str], purpose: str, time_limit: float | None = None) -> None:
    """Run ``passes``, one after the other.

    What Yosys itself starts (ABC) ends with it, and its temporary files go.

    Args:
        passes: commands of Yosys, or ``python`` and statements with its ``design`` and ``libyosys``.
        purpose: what for, after "to" or "could not".
        time_limit: in seconds.

    Raises:
        MissingPackage: Yosys is not installed.
        OutOfTime: it was stopped.
        MercuricError: it fails.
    """
    if find_spec("pyosys") is None:
        raise MissingPackage(
            f'pyosys, with which to {purpose}, is not installed; install it with: pip install "mercuric[rtl]"'
        )
    with TemporaryDirectory() as folder, (Path(folder) / "said").open("w+", errors="replace") as said:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _SCRIPT, *passes],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": folder},
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
