import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_table_the_files_and_the_report(mercuric: Run) -> None:
    result = mercuric("evaluate", "custom-cnn", "--batch", "1,2", "--accelerator", "eyeriss-like,weight-168")
    assert result.exit_code == 0, result.output
    folder = Path("runs") / "evaluate-custom-cnn-photos"
    assert f"Report: {folder / 'report.html'}" in result.stdout
    assert "weight-168" in result.stdout
    for file in ("config.yaml", "reuse.yaml", "layers.csv", "evaluation.json", "report.html"):
        assert (folder / file).stat().st_size > 0
    page = (folder / "report.html").read_text()
    assert "mercuric evaluate custom-cnn --accelerator eyeriss-like,weight-168 --batch 1,2" in page


def test_json_holds_totals_layers_and_area(mercuric: Run, tmp_path: Path) -> None:
    options = ["--inference", "--energies", "horowitz-16", "--timing", "paper", "--json"]
    result = mercuric(
        "evaluate", "squeezenet-1.0", "--image-size", 32, "--dense", "--out", tmp_path, *options
    )
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    said = json.loads(result.stdout)
    assert (said["unit"], said["products"], said["timing"], said["reuse"]) == ("pJ", "forward", "paper", None)
    leading = [row for row in said["results"] if row["timing"] == "paper"]
    assert [row["accelerator"] for row in leading] == [
        "eyeriss-like", "simple-weight-stationary", "simple-output-stationary",
    ]  # fmt: skip
    for row in leading:
        layers = [
            one
            for one in said["layers"]
            if (one["accelerator"], one["timing"]) == (row["accelerator"], "paper")
        ]
        assert len(layers) == 26
        assert sum(one["energy"] for one in layers) == pytest.approx(row["energy"])
        assert sum(said["area_mm2"][row["accelerator"]].values()) > 1


def test_a_users_tables_and_accelerators_are_files(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    costs = tmp_path / "costs.yaml"
    costs.write_text("{name: mine, unit: pJ, mac: 1, register_file: 1, pe_to_pe: 2, buffer: 6, dram: 100}")
    array = tmp_path / "array.yaml"
    array.write_text(
        "{name: mine, dataflow: output, rows: 8, columns: 8, clock_mhz: 500, entries: 64, ways: 4}"
    )
    command = ["evaluate", "custom-cnn", "--accelerator", array, "--energies", costs, "--dense"]
    result = mercuric(*command, "--json")
    assert result.exit_code == 0, result.output
    assert {row["accelerator"] for row in json.loads(result.stdout)["results"]} == {"mine"}
    costs.write_text("{name: mine, unit: pJ, mac: 1, register_file: 1, pe_to_pe: 2, dram: 100}")
    assert "energies 'mine' give no cost of buffer" in refused(mercuric(*command))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--accelerator", "tpu"], "accelerator was 'tpu', but must be one of 'broadcast-168'"),
        (["--accelerator", ","], "accelerators was empty"),
        (["--accelerator", "no.yaml"], "the configuration no.yaml can't be read"),
        (["--batch", "0"], "batch was 0, but must be at least 1"),
        (["--batch", "1,two"], "batch was '1,two', but must be whole numbers with commas between"),
        (["--batch", "25"], "batch was 25, but must be from 1 to the 24 of photos"),
        (["--timing", "slow"], "timing was 'slow'"),
        (["--engine", "timeloop"], "engine was 'timeloop'"),
        (["--energies", "cacti"], "energies was 'cacti', but must be one of 'eyeriss', 'horowitz-16'"),
        (["--energies", "horowitz-32"], "word_bits of energies 'horowitz-32' was 32"),
        (["--seed", "-1"], "seed was -1"),
        (["--data", "help-en-de"], "help-en-de"),
        (["--config", "no.yaml"], "the configuration no.yaml can't be read"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("evaluate", "custom-cnn", *options))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_network(mercuric: Run, refused: Refused) -> None:
    assert "model was 'transformer', but must be one of" in refused(mercuric("evaluate", "transformer"))


def test_a_missing_engine_says_how_to_install_it(
    mercuric: Run, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mercuric.accelerator.engines.second_opinion.find_spec", lambda _: None)
    sentence = refused(mercuric("evaluate", "custom-cnn", "--engine", "zigzag"))
    assert "engine was 'zigzag', which is not installed; run `pip install 'mercuric[engines]'`" in sentence
