"""A whole layer of a network in the circuit: what is recorded, and that Verilator agrees."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from mercuric.subjects.config import ExamplesConfig
from mercuric.subjects.subject import load_subject

pytest.importorskip("amaranth", reason="the extra rtl is not installed")

from mercuric.rtl.arrival import arrived, in_step
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.rounding import sum_of
from mercuric.studies.hardware.layer import buildable
from mercuric.studies.hardware.recorded_layer import record

Run = Callable[..., Result]
Refused = Callable[..., str]
SMALL = {"rows": 3, "columns": 2, "entries": 8, "ways": 2}


def options(**fields: object) -> list[str]:
    return [word for name, value in fields.items() for word in ("--set", f"{name}={value}")]


def test_the_recorded_vectors_have_the_recorded_hitmap() -> None:
    subject = load_subject(ExamplesConfig(model="vgg13", width=0.125, images=2, image_size=32), 2, 2)
    accelerator = buildable("eyeriss-168", SMALL)
    recorded = record(subject, "features.3", accelerator)
    work, layer = recorded.work, subject.network.features[3]
    circuit = Parameters.of(accelerator, work.shape, work.bits, "paper")
    signatures = torch.from_numpy(
        np.stack([
            ((sum_of(one, recorded.random_filters) < 0).astype(np.int64) << np.arange(20)[:, None]).sum(0)
            for one in recorded.vectors
        ])
    )  # fmt: skip
    found = arrived(circuit, signatures, in_step(circuit, work.shape.vectors))
    assert torch.equal(found.states, work.hitmap.states)
    assert torch.equal(found.representatives, work.hitmap.representatives)
    assert np.allclose(recorded.filters[1], layer.weight.detach()[:, 1])
    assert recorded.filters.shape[0] == work.shape.scopes == 2 * layer.in_channels


@pytest.mark.parametrize("design", ["synchronous", "asynchronous"])
def test_verilator_agrees(mercuric: Run, tmp_path: Path, design: str) -> None:
    pytest.importorskip("pyosys", reason="the extra rtl is not installed")
    if shutil.which("verilator") is None:
        pytest.skip("Verilator is not installed")
    out = tmp_path / "layer"
    arguments = ["vgg13", "--layer", "features.0", "--image-size", 32, "--out", out]
    result = mercuric("hardware", "layer", *arguments, *options(**SMALL, design=design, versions=2))
    assert result.exit_code == 0, result.output
    assert f"PASS: {3 * 64 * 32 * 32} results, 0 wrong" in result.output
    said = json.loads((out / "layer.json").read_text())
    assert said["passed"]
    assert said["circuit_cycles"] == said["simulator_cycles"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--set", "late_hits=ready"],
            "late_hits of the circuit was 'ready', but must be 'wait' or 'recompute'",
        ),
        (["--set", "dealing=rows"], "dealing of the circuit was 'rows', but must be 'vectors'"),
        (["--set", "word_bits=40"], "word_bits of the circuit was 40, but must be at most 32"),
        (["--layer", "classifier.0"], "layer was 'classifier.0', but must be a convolution"),
        (["--time-limit", 0], "time_limit was 0.0, but must be above 0 seconds"),
    ],
)
def test_what_no_circuit_is(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[object],
    said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("mercuric.studies.hardware.layer.require_verilator", lambda: None)
    out = tmp_path / "new"
    line = ["vgg13", "--layer", "features.0", "--image-size", 32, "--out", out, *arguments]
    assert said in refused(mercuric("hardware", "layer", *line))
    assert not out.exists()


def test_without_verilator(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = refused(
        mercuric("hardware", "layer", "vgg13", "--layer", "features.0", "--out", tmp_path / "new")
    )
    assert "needs the program verilator, which is not on the PATH" in sentence
