"""Verilog of the circuits: another simulator agrees, and its test bench notices what is wrong."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

pytest.importorskip("amaranth", reason="the extra rtl is not installed")
pytest.importorskip("pyosys", reason="the extra rtl is not installed")

Run = Callable[..., Result]
Refused = Callable[..., str]


def icarus(folder: Path, name: str) -> str:
    """The last line that the test bench prints."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed")
    files = [folder / f"{name}.v", folder / f"{name}_testbench.v"]
    subprocess.run(["iverilog", "-g2005", "-o", folder / name, *files], check=True)
    done = subprocess.run(["vvp", "-n", folder / name], check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line.startswith(("PASS", "FAIL"))][-1]


@pytest.mark.parametrize(
    "options",
    [
        ["--sets", 3, "--bits", 4, "--queue", 1, "--timing", "fair"],
        ["--rows", 2, "--columns", 1, "--kernel", 2, "--sets", 1, "--ways", 1, "--block", 1, "--mac-unit"],
    ],
)
def test_icarus_agrees(mercuric: Run, tmp_path: Path, options: list[object]) -> None:
    out = tmp_path / "circuits"
    result = mercuric("hardware", "verilog", "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "baseline.v", "baseline_testbench.v", "command.txt", "mercury.v", "mercury_testbench.v",
    ]  # fmt: skip
    for name in ("mercury", "baseline"):
        assert icarus(out, name).startswith("PASS: ")
    bench = out / "mercury_testbench.v"
    bench.write_text(bench.read_text().replace("state[0] = 1;", "state[0] = 2;"))
    assert icarus(out, "mercury").startswith("FAIL: 1 wrong")


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
