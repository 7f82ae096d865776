"""Does the benchmark for GPUs run, in every part, and say where it can't?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
SECTIONS = {
    "low rank, a layer": 3, "low rank, a network's step": 2, "alike patches": 1, "equal vectors": 2,
    "equal beginnings": 1,
}  # fmt: skip
"""What the quick run has, and in how many rows."""


def ran(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )  # fmt: skip


def test_a_quick_run_has_every_part() -> None:
    pytest.importorskip("triton", reason="its kernels are in Triton")
    done = ran("--quick", "--rounds", "2", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {name: sum(row["section"] == name for row in rows) for name in SECTIONS} == SECTIONS
    for row in rows:
        kinds = [row[kind] for kind in ("forward", "training") if kind in row]
        assert kinds
        assert all(min(kind["milliseconds"], kind["dense_milliseconds"]) > 0 for kind in kinds)


def test_bad_arguments_are_refused_in_a_sentence() -> None:
    assert "rounds was 1, but a spread needs at least 2" in ran("--rounds", "1").stderr
    if not torch.cuda.is_available():
        done = ran()
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("No CUDA device is here")
