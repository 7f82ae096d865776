import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Refused = Callable[..., str]
CONFIG = """\
[general]
run_name = tiny
[architecture_presets]
ArrayHeight: 4
ArrayWidth: 3
IfmapSramSzkB: 36
FilterSramSzkB: 36
OfmapSramSzkB: 36
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Dataflow: ws
[run_presets]
InterfaceBandwidth: CALC
"""
TOPOLOGY = """\
Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
conv, 10, 10, 3, 3, 2, 8, 1,
point, 4, 4, 1, 1, 8, 5, 1,
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[object, ...]:
    config, topology = tmp_path / "tiny.cfg", tmp_path / "net.csv"
    config.write_text(CONFIG)
    topology.write_text(TOPOLOGY)
    return "--scalesim-config", config, "--topology", topology


def figures(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_a_topology_with_a_hit_rate(mercuric: Run, files: tuple[object, ...]) -> None:
    none, half = (
        figures(mercuric("simulate", *files, "--json", *more)) for more in ([], ["--hit-rate", 0.5])
    )
    assert [layer["layer"] for layer in none["layers"]] == ["conv", "point"]
    with_cache = {"bits": 20, "entries": 1024, "ways": 16}
    assert none["reuse"] == {"hit_rate": 0.0, **with_cache}
    assert half["reuse"] == {"hit_rate": 0.5, **with_cache}
    assert half["cycles"]["accelerator"] == "tiny"
    assert half["cycles"]["paper"]["mercury"] < none["cycles"]["paper"]["mercury"]
    assert half["products"] == "forward"


def test_scalesim_beside_ours(mercuric: Run, files: tuple[object, ...]) -> None:
    pytest.importorskip("scalesim")
    command = ("simulate", *files, "--hit-rate", 0.5, "--engine", "scalesim")
    counted = figures(mercuric(*command, "--json"))
    for layer in counted["layers"]:
        assert layer["scalesim_dense"] == layer["fair_forward_baseline"]
        assert layer["scalesim_scoped"] == layer["forward_baseline"]
        assert layer["scalesim_product"] == layer["forward_product"]
        assert layer["scalesim_signature"] == layer["forward_signature"]
    assert counted["scalesim"]["speedup"]["scoped"] == counted["speedup"]["paper"]
    shown = mercuric(*command)
    assert shown.exit_code == 0, shown.output
    for words in ("conv", "point", "scope by scope", "SCALE-Sim", "tiny"):
        assert words in " ".join(shown.stdout.split())


def test_the_tables(mercuric: Run, files: tuple[object, ...]) -> None:
    shown = mercuric("simulate", *files, "--hit-rate", 0.25)
    assert shown.exit_code == 0, shown.output
    for words in ("conv", "point", "25.0%", "paper", "fair", "tiny", "hit_rate: 0.25"):
        assert words in " ".join(shown.stdout.split())


def test_measured_hitmaps_for_a_topology(mercuric: Run, tmp_path: Path) -> None:
    folder, topology = tmp_path / "csv", tmp_path / "cnn.csv"
    assert mercuric("hitmap", "custom-cnn", "--images", 1, "--out", folder).exit_code == 0
    rows = ["18, 18, 3, 3, 3, 32", "10, 10, 3, 3, 32, 64", "6, 6, 3, 3, 64, 128", "1, 1, 1, 1, 2048, 256"]
    rows += ["1, 1, 1, 1, 256, 7"]
    header = TOPOLOGY.splitlines()[0]
    topology.write_text("\n".join([header, *(f"L{n}, {row}, 1," for n, row in enumerate(rows))]))
    common = ("--accelerator", "weight-168", "--json")
    counted = figures(mercuric("simulate", "--topology", topology, "--hitmaps", folder, *common))
    network = figures(mercuric("simulate", "--hitmaps", folder, "--inference", *common))
    assert counted["cycles"] == network["cycles"]


def test_what_is_refused(mercuric: Run, refused: Refused, files: tuple[object, ...], tmp_path: Path) -> None:
    both = mercuric("simulate", *files, "--accelerator", "weight-168")
    assert "accelerator was 'weight-168', but with a SCALE-Sim configuration it must not be" in refused(both)
    rate = mercuric("simulate", *files, "--hit-rate", 1.5)
    assert "hit_rate was 1.5, but must be from 0 to 1" in refused(rate)
    (tmp_path / "net.csv").write_text(TOPOLOGY.replace("10, 10", "10, -10"))
    sentence = refused(mercuric("simulate", *files))
    assert "net.csv, line 2: IFMAP Width of layer 'conv' was '-10'" in sentence
    (tmp_path / "tiny.cfg").write_text(CONFIG.replace("Dataflow: ws", "Dataflow: rs"))
    sentence = refused(mercuric("simulate", *files))
    assert "tiny.cfg, line 12: Dataflow was 'rs', but must be one of ws, is, os" in sentence
