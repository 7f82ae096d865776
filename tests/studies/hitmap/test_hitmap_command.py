import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from mercuric.trace.hitmaps.csv_lines import read_hitmap_csv

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_a_file_a_layer(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("hitmap", "custom-cnn", "--images", 3, "--batch", 2, "--out", tmp_path / "h")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("5 layers: ")
    with (tmp_path / "h" / "layers.csv").open(newline="") as file:
        index = list(csv.DictReader(file))
    assert [(row["file"], row["layer"]) for row in index] == [
        ("hitmap-001.csv", "features.0"),
        ("hitmap-002.csv", "features.3"),
        ("hitmap-003.csv", "features.6"),
        ("hitmap-004.csv", "classifier.1"),
        ("hitmap-005.csv", "classifier.3"),
    ]
    for row in index:
        lines = list(read_hitmap_csv(tmp_path / "h" / row["file"]))
        assert [line.input_shape[0] for line in lines] == [2, 1]
        assert sum(int(line.hit.sum()) for line in lines) == int(row["HIT"])
        assert sum(line.hit.size for line in lines) == sum(int(row[key]) for key in ("HIT", "MAU", "MNU"))
    assert next(iter(read_hitmap_csv(tmp_path / "h" / "hitmap-004.csv"))).input_shape == (2, 2048, 1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--images", 25], "images was 25, but must be from 1 to the 24 of photos"),
        (["--batch", -1], "batch was -1, but must be at least 1"),
        (["--seed", -1], "seed was -1, but must be greater than or equal to 0"),
        (["--weights", "/no/such.safetensors"], "there is no checkpoint /no/such.safetensors"),
        (["--config", "/no/such.yaml"], "the configuration /no/such.yaml can't be read"),
    ],
)
def test_a_wrong_option(
    mercuric: Run, refused: Refused, tmp_path: Path, options: list[object], sentence: str
) -> None:
    assert sentence in refused(mercuric("hitmap", "custom-cnn", "--out", tmp_path / "h", *options))
    assert not (tmp_path / "h").exists()


def test_a_folder_is_not_written_over(mercuric: Run, refused: Refused, tmp_path: Path) -> None:
    command = ("hitmap", "custom-cnn", "--images", 1, "--out", tmp_path / "h")
    assert mercuric(*command).exit_code == 0
    assert "holds Hitmaps already; remove them or name another folder" in refused(mercuric(*command))
