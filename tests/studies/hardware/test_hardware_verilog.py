"""Verilog of the circuits: another simulator agrees, and its test bench notices what is wrong."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

pytest.importorskip("amaranth", reason="the extra rtl is not installed")
pytest.importorskip("pyosys", reason="the extra rtl is not installed")

from mercuric.rtl.parameters import Parameters
from mercuric.studies.hardware.study import write_circuits

Run = Callable[..., Result]
Refused = Callable[..., str]


NAMES = "mercury", "baseline", "asynchronous"
BREAKS = {
    r"(?<=    state)(\[\d+\] =) 1;": r"\1 2;",
    r"(?<=    expected\[0\] = )": "1 ^ ",
    r"(?<=    if \(round == 0 && )": "1 + ",
    r"(?<=    if \(round == 1 && )": "1 + ",
}
"""Expectations, and what the first of a kind is exchanged for."""


def verdict(said: str) -> str:
    """The last line that a test bench prints."""
    return [line for line in said.splitlines() if line.startswith(("PASS", "FAIL"))][-1]


def icarus(folder: Path, name: str) -> str:
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed")
    files = [folder / f"{name}.v", folder / f"{name}_testbench.v"]
    subprocess.run(["iverilog", "-g2005", "-o", folder / name, *files], check=True)
    return verdict(
        subprocess.run(["vvp", "-n", folder / name], check=True, capture_output=True, text=True).stdout
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--sets", 3, "--bits", 4, "--queue", 1, "--timing", "fair", "--scopes", 3, "--versions", 2],
        ["--rows", 2, "--columns", 1, "--kernel", 2, "--sets", 1, "--ways", 1, "--block", 1, "--mac-unit"],
    ],
)
def test_icarus_agrees(mercuric: Run, tmp_path: Path, options: list[object]) -> None:
    out = tmp_path / "circuits"
    result = mercuric("hardware", "verilog", "--out", out, *options)
    assert result.exit_code == 0, result.output
    files = [f"{name}{kind}.v" for name in NAMES for kind in ("", "_testbench")]
    assert sorted(path.name for path in out.iterdir()) == sorted([*files, "command.txt"])
    for name in NAMES:
        assert icarus(out, name).startswith("PASS: ")


@pytest.fixture(scope="module")
def circuits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("circuits")
    one = Parameters(
        pe_rows=2, pe_columns=2, kernel_rows=2, kernel_columns=2, block=3, bits=4, cache_sets=2, ways=2,
        versions=2,
    )  # fmt: skip
    write_circuits(one, folder, scopes=2, filters=2, seed=1)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_icarus_notices(circuits: Path, tmp_path: Path, name: str) -> None:
    """Each expectation by itself: states, results, cycles of the one round or the other."""
    shutil.copy(circuits / f"{name}.v", tmp_path)
    right, bench = (circuits / f"{name}_testbench.v").read_text(), tmp_path / f"{name}_testbench.v"
    broken = {re.sub(one, wrong, right, count=1) for one, wrong in BREAKS.items()} - {right}
    assert len(broken) == {"mercury": 3, "baseline": 2, "asynchronous": 4}[name]
    for text in broken:
        bench.write_text(text)
        assert icarus(tmp_path, name).startswith("FAIL: ")


def test_verilator_agrees(circuits: Path, tmp_path: Path) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("Verilator is not installed")
    files = [circuits / f"asynchronous{kind}.v" for kind in ("", "_testbench")]
    ways_of_writing = [f"-Wno-{kind}" for kind in ("WIDTH", "CASEINCOMPLETE", "LITENDIAN")]
    said = subprocess.run(
        ["verilator", "--binary", *ways_of_writing, "--top-module", "testbench", "--Mdir", tmp_path,
         "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0", *files],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "%Warning" not in said.stdout + said.stderr
    done = subprocess.run([tmp_path / "Vtestbench"], check=True, capture_output=True, text=True)
    assert verdict(done.stdout).startswith("PASS: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sets", 0], "cache_sets of the circuit was 0, but must be at least 1"),
        (["--ways", 65], "ways of the circuit was 65, but must be at most 64"),
        (["--kernel", 13], "kernel_rows of the circuit was 13, but its array has 12 PEs"),
        (["--filters", 0], "filters was 0, but must be from 1 to 65535"),
    ],
)
def test_what_cannot_be_written(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], said: str
) -> None:
    assert said in refused(mercuric("hardware", "verilog", "--out", tmp_path / "new", *options))
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    sentence = refused(mercuric("hardware", "verilog", "--out", tmp_path))
    assert f"out was {tmp_path}, but must be a new folder or an empty one" in sentence
