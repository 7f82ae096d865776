"""``mercuric sweep`` as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from typer.testing import Result

from mercuric import __version__
from mercuric.errors import MercuricError
from mercuric.studies.sweep import study as module
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.page import write_page
from mercuric.studies.sweep.study import combination_totals, resolve, split, sweep
from mercuric.studies.workers import Workers

Run = Callable[..., Result]
Refused = Callable[..., str]

SMALL = {"models": ("custom-cnn",), "images": 1, "bits": 8}


def config(**fields: object) -> SweepConfig:
    return SweepConfig(**{**SMALL, **fields})


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("sweep")
    return folder, sweep(
        config(vary={"entries": (64, 1024), "design": ("synchronous", "asynchronous")}), folder
    )


def test_one_file_with_a_row_for_each_layer(swept: tuple[Path, pd.DataFrame]) -> None:
    folder, results = swept
    assert pd.read_parquet(folder / "sweep.parquet").equals(results)
    layers = results["layer"].nunique()
    assert len(results) == 4 * layers
    assert list(results.columns[:3]) == ["model", "entries", "design"]
    totals = combination_totals(results, ["entries", "design"])
    assert len(totals) == 4
    hits = totals.groupby("entries")["hit_rate"].nunique()
    assert (hits == 1).all()
    assert totals["hit_rate"].iloc[0] <= totals["hit_rate"].iloc[-1]
    parts = totals["paper_product"] + totals["paper_signature"] + totals["paper_stall"]
    assert (totals["paper_speedup"] * parts).to_numpy() == pytest.approx(totals["paper_baseline"].to_numpy())


def test_combinations_that_share_a_cache_share_a_run() -> None:
    one = config(vary={"entries": (64, None), "dataflow": ("row", "weight"), "rows": (6, 12)})
    assert [len(part.chosen) for part in split(one, {})] == [4, 4]
    moved = config(vary={"arrival": ("raster", "interleaved"), "rows": (6, 12)})
    assert [len(part.chosen) for part in split(moved, {})] == [2, 1, 1]
    assert len({part.file for part in split(one, {})}) == 2


def test_resume_simulates_what_is_missing_alone(
    swept: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, results = swept
    ran: list[str] = []
    honest = module.simulate_part

    def noted(config: SweepConfig, part: module.Part, folder: Path) -> module.Part:
        ran.append(part.file)
        return honest(config, part, folder)

    monkeypatch.setattr(module, "simulate_part", noted)
    lost = sorted((folder / "parts").iterdir())[0]
    lost.unlink()
    whole = SweepConfig.read(folder / "config.yaml")
    assert sweep(whole, folder, resume=True).equals(results)
    assert ran == [lost.name]
    kept = lost.read_bytes()
    lost.write_bytes(kept[:100])
    with pytest.raises(MercuricError, match=f"{lost.name} is broken .*; remove it, and --resume"):
        sweep(whole, folder, resume=True)
    lost.write_bytes(kept)


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    one = config(vary={"ways": (4, 16)})
    threads = torch.get_num_threads()
    # Two processes have a thread each, and convolutions round otherwise with more.
    torch.set_num_threads(1)
    alone = sweep(one, tmp_path / "one")
    torch.set_num_threads(threads)
    assert sweep(one, tmp_path / "two", Workers(2)).equals(alone)


def test_table_report_and_figures(mercuric: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--set", "entries=64,null", "--set", "dataflow=row,weight", "--images", 1, "--inference"]
    result = mercuric("sweep", "custom-cnn", *options)
    assert result.exit_code == 0, result.output
    assert "unlimited" in result.stdout and "weight" in result.stdout
    page = Path("runs/sweep/report.html").read_text()
    assert "--set entries=64,null --set dataflow=row,weight" in page
    assert "custom-cnn, layer by layer" in page and "Fig. 16" in page
    again = mercuric("sweep", "custom-cnn", *options, "--resume", "--json")
    assert len(json.loads(again.stdout)["combinations"]) == 4
    reuse = json.loads(again.stdout)["reuse"]
    assert reuse["bits"] == 20 and "entries" not in reuse
    assert "20-bit signatures of a channel's windows" in " ".join(result.stdout.split())
    line = mercuric("sweep", "custom-cnn", "--set", "rows=6,12", "--images", 1, "--out", "line")
    assert line.exit_code == 0 and "Speed-up against rows" in Path("line/report.html").read_text()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--set", "cores=2"], "field was 'cores', but must be one of dataflow, rows"),
        (["--set", "ways"], "set was 'ways', but must be FIELD=VALUE,VALUE,..."),
        (["--set", "entries="], "set was 'entries=', but must have a value (null for none)"),
        (["--set", "ways=4, ,8"], "set was 'ways=4, ,8', but must have a value (null for none)"),
        (["--set", "ways=4", "--set", "ways=8"], "must name each field once: ways is twice"),
        (["--set", "ways={a: 1}"], "set was 'ways={a: 1}', but must be a plain value after the ="),
        (
            ["--set", "buffer_kib=1,2"],
            "field was 'buffer_kib', but must be left out of this sweep: dram_words",
        ),
        (["--set", "split_by=filters,images"], "must be left out of this sweep: arrays is 1"),
        (["--set", "clock_mhz=1"], "field was 'clock_mhz', but must be one that cycles depend on"),
        (["--set", "versions=1,2"], "field was 'versions', but must be left out of this sweep: design is"),
        (["--set", "ways=4,8", "--set", "entries=null"], "must be left out of this sweep: an unlimited"),
        (["--set", "ways=3"], "must be a multiple of ways, 3"),
        (["--set", "versions=0"], "versions of accelerator 'eyeriss-168' was 0, but must be at least 1"),
        (["--set", "ways=4,4"], "field 'ways' was 4, 4, but must name each once: 4 is there twice"),
        (["--set", "ways=[4"], "set was 'ways=[4', but must be a plain YAML value after the ="),
        (["--set", "ways=4", "--jobs", 0], "jobs was 0, but must be at least 1"),
        (["--set", "ways=4", "--accelerator", "big"], "accelerator was 'big', but must be one of"),
        (["--set", "ways=4", "--images", 0], "images was 0"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[object], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(mercuric("sweep", "custom-cnn", *options))


@pytest.mark.parametrize("command", [("sweep", "--set", "rows=4,8"), ("speedups",)])
def test_a_network_twice(mercuric: Run, refused: Refused, command: tuple[str, ...]) -> None:
    said = refused(mercuric(command[0], "custom-cnn", "vgg13", "custom-cnn", *command[1:]))
    assert (
        "model was custom-cnn, vgg13, custom-cnn, but must name each once: custom-cnn is there twice" in said
    )


def test_an_unknown_network(mercuric: Run, refused: Refused) -> None:
    assert "model was 'vgg12', but must be one of" in refused(mercuric("sweep", "vgg12", "--set", "ways=4"))


def test_another_sweep_in_the_folder(
    mercuric: Run, refused: Refused, swept: tuple[Path, pd.DataFrame]
) -> None:
    folder, _ = swept
    sentence = refused(mercuric("sweep", "custom-cnn", "--set", "ways=4", "--out", folder, "--resume"))
    assert "holds another run" in sentence
    assert "holds a run already" in refused(
        mercuric("sweep", "custom-cnn", "--set", "ways=4", "--out", folder)
    )


def test_another_array_under_the_same_name(
    mercuric: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a name stands for is part of a sweep, and of each of its parts."""
    monkeypatch.chdir(tmp_path)
    array = Path("mine.yaml")
    array.write_text("{name: mine, rows: 4, columns: 14, clock_mhz: 200, entries: 16, ways: 4}")
    options = ("custom-cnn", "--images", 1, "--set", "design=synchronous,asynchronous", "--inference")
    command = ("sweep", *options, "--accelerator", array, "--out", "out")
    assert mercuric(*command).exit_code == 0
    before = {part.name for part in Path("out/parts").iterdir()}
    array.write_text(array.read_text().replace("rows: 4", "rows: 8"))
    said = refused(mercuric(*command, "--resume"))
    assert "out holds another run: accelerator.rows was 4, now 8" in said
    assert mercuric(*command[:-1], "again").exit_code == 0
    assert before.isdisjoint(part.name for part in Path("again/parts").iterdir())
    array.write_text(array.read_text().replace("rows: 8", "rows: 4"))
    assert mercuric(*command, "--resume").exit_code == 0
    monkeypatch.setattr("mercuric.studies.run_folder.__version__", "9.9.9")
    assert f"version was {__version__}, now 9.9.9" in refused(mercuric(*command, "--resume"))


def test_weights_are_part_of_a_sweep_by_their_contents(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    parts = []
    for contents in (b"one", b"two"):
        path.write_bytes(contents)
        one = config(vary={"rows": (6, 12)}, weights=str(path))
        parts.append(split(one, resolve(one))[0].file)
    assert parts[0] != parts[1]


def test_energy_and_area_stand_beside_the_speedup(tmp_path: Path) -> None:
    described = config(vary={"dealing": ("products",), "filters_in_flight": (1, 8, None)}, energy=True)
    results = sweep(described, tmp_path)
    totals = combination_totals(results, list(described.vary))
    assert totals["area"].is_monotonic_increasing
    assert (totals["paper_energy_delay"] * totals["paper_speedup"]).to_numpy() == pytest.approx(
        totals["paper_energy"].to_numpy()
    )
    assert totals["paper_baseline"].nunique() == 1
    page = write_page(tmp_path, "mercuric sweep").read_text()
    assert "Energy against speed-up, paper timing" in page
    assert "Area against speed-up" in page
    assert "Least energy times delay" in page


def test_more_filters_in_flight_than_any_layer_has_are_refused(tmp_path: Path) -> None:
    described = config(vary={"dealing": ("products",), "filters_in_flight": (4096,)})
    with pytest.raises(ValueError, match="filters_in_flight of accelerator 'eyeriss-168' was 4096, but must"):
        sweep(described, tmp_path)
