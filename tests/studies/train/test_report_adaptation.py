"""Do pictures, sentence and table say what ``adaptation.csv`` says?"""

import json
import re
from pathlib import Path

import pytest

from mercuric.errors import MercuricError
from mercuric.page.chart import Picture
from mercuric.page.parts import Folded, Paragraph, Section
from mercuric.page.table import SortableTable
from mercuric.studies.train.adaptation import adaptation_section
from mercuric.studies.train.adaptation_log import read_adaptation

HEADER = "seed,step,layer,what,before,after\n"
CHANGES = f"""{HEADER}0,50,conv1,off,20,0
0,400,,bits,20,21
0,600,,bits,21,22
1,70,conv1,off,20,0
1,800,,bits,20,21
1,900,fc,off,21,0
"""
NAMES = ["conv1", "conv2", "fc", "head"]
OFF = {(0, "conv1"), (1, "conv1"), (1, "fc"), (0, "head"), (1, "head")}


def write_run(
    folder: Path,
    changes: str | None = CHANGES,
    seeds: tuple[int, ...] = (0, 1),
    names: list[str] | None = None,
    off: set[tuple[int, str]] = OFF,
) -> Path:
    """A run of 1000 steps in which the layer ``head`` never reused."""
    rows = [f'{seed},"{name}",20,{(seed, name) not in off}' for seed in seeds for name in names or NAMES]
    (folder / "layers.csv").write_text("seed,layer,bits,on\n" + "\n".join(rows) + "\n")
    events = [
        {"event": "step", "run": run, "seed": seed, "step": last}
        for run, last in (("dense", 2000), ("reuse", 999), ("reuse", 1000))
        for seed in seeds
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events) + '{"eve')
    if changes is not None:
        (folder / "adaptation.csv").write_text(changes)
    return folder


def section_of(folder: Path) -> Section:
    log = read_adaptation(folder)
    assert log is not None
    return adaptation_section(log)


def charts_of(section: Section) -> dict[str, dict]:
    pictures = [part for part in section.parts if isinstance(part, Picture)]
    return {picture.identity: json.loads(json.dumps(picture.data)) for picture in pictures}


def bars(chart: dict) -> set[tuple[str, str, int, int]]:
    """Which layer was what, from which step to which."""
    return {
        (layer, trace["name"], start, start + length)
        for trace in chart["data"]
        for (layer, _, _), start, length in zip(trace["customdata"], trace["base"], trace["x"], strict=True)
    }


def test_a_run_that_did_not_adapt_has_no_section(tmp_path: Path) -> None:
    assert read_adaptation(write_run(tmp_path, changes=None)) is None


def test_bits_are_stairs_a_seed_and_their_mean(tmp_path: Path) -> None:
    first, second, mean = charts_of(section_of(write_run(tmp_path)))["adaptation-bits"]["data"]
    assert (first["x"], first["y"]) == ([0, 400, 600, 1000], [20, 21, 22, 22])
    assert (second["x"], second["y"]) == ([0, 800, 1000], [20, 21, 21])
    assert (mean["x"], mean["y"]) == ([0, 400, 600, 800, 1000], [20, 20.5, 21, 21.5, 21.5])
    assert {line["line"]["shape"] for line in (first, second, mean)} == {"hv"}


def test_a_single_seed_has_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path, HEADER + "3,400,,bits,20,21\n", seeds=(3,), off=set())
    (line,) = charts_of(section_of(run))["adaptation-bits"]["data"]
    assert (line["x"], line["y"]) == ([0, 400, 1000], [20, 21, 21])


def test_every_layer_is_a_row_from_the_first_step_to_the_last(tmp_path: Path) -> None:
    chart = charts_of(section_of(write_run(tmp_path)))["adaptation-layers"]
    assert bars(chart) == {
        ("conv1", "on in 2 of 2 seeds", 0, 50),
        ("conv1", "on in 1 of 2 seeds", 50, 70),
        ("conv1", "off", 70, 1000),
        ("conv2", "on in 2 of 2 seeds", 0, 1000),
        ("fc", "on in 2 of 2 seeds", 0, 900),
        ("fc", "on in 1 of 2 seeds", 900, 1000),
        ("head", "off", 0, 1000),
    }
    assert chart["layout"]["yaxis"]["ticktext"] == NAMES
    assert chart["layout"]["xaxis"]["range"] == [0, 1000]


def test_a_single_seed_is_on_or_off(tmp_path: Path) -> None:
    run = write_run(tmp_path, HEADER + "0,50,conv1,off,20,0\n", seeds=(0,), off={(0, "conv1")})
    assert bars(charts_of(section_of(run))["adaptation-layers"]) == {
        ("conv1", "on", 0, 50), ("conv1", "off", 50, 1000),
        ("conv2", "on", 0, 1000), ("fc", "on", 0, 1000), ("head", "on", 0, 1000),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            CHANGES,
            "Signatures grew from 20 to 21 or 22 bits, first after step 400. Of 4 layers, 1 or 2 turned off "
            "during training, 1 never reused.",
        ),
        (
            HEADER,
            "Nothing changed in 1,000 steps: signatures kept 20 bits. Of 4 layers, 0 turned off during "
            "training, 2 or 3 never reused.",
        ),
        (
            HEADER + "0,5,conv1,off,20,0\n",
            "Signatures kept 20 bits. Of 4 layers, 0 or 1 turned off during training, 1 or 3 never reused.",
        ),
    ],
)
def test_the_sentence(tmp_path: Path, changes: str, sentence: str) -> None:
    assert section_of(write_run(tmp_path, changes)).parts[0] == Paragraph(sentence)


def test_the_table_has_a_row_a_change(tmp_path: Path) -> None:
    folded = section_of(write_run(tmp_path)).parts[-1]
    assert isinstance(folded, Folded) and isinstance(folded.part, SortableTable)
    assert [[cell.text for cell in row] for row in folded.part.rows] == [
        ["0", "50", "conv1", "turned off", "20"],
        ["0", "400", "all", "signatures grew", "20 to 21"],
        ["0", "600", "all", "signatures grew", "21 to 22"],
        ["1", "70", "conv1", "turned off", "20"],
        ["1", "800", "all", "signatures grew", "20 to 21"],
        ["1", "900", "fc", "turned off", "21"],
    ]
    assert not any(isinstance(part, Folded) for part in section_of(write_run(tmp_path, HEADER)).parts)


def test_hostile_names_are_text(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    run = write_run(tmp_path, f"{HEADER}0,5,{hostile},off,20,0\n", (0,), [hostile, "NA"], {(0, hostile)})
    assert {layer for layer, *_ in bars(charts_of(section_of(run))["adaptation-layers"])} == {
        "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "NA",
    }


def test_very_many_layers_name_every_third(tmp_path: Path) -> None:
    names = [f"layer{number}" for number in range(150)]
    chart = charts_of(section_of(write_run(tmp_path, HEADER, (0,), names)))["adaptation-layers"]
    assert chart["layout"]["yaxis"]["ticktext"] == names[::3]
    assert chart["layout"]["height"] < 1500
    assert len(bars(chart)) == 150


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ("", "adaptation.csv is broken: No columns to parse from file"),
        ("seed,step\n", "adaptation.csv is broken: the column layer is missing"),
        (HEADER + "0,soon,,bits,20,21\n", "adaptation.csv is broken: invalid literal"),
        (HEADER + "0,5,,grown,20,21\n", "what is 'grown' in line 2, expected bits or off"),
        (HEADER + "0,5,conv9,off,20,0\n", "line 2 names layer 'conv9' of seed 0, which"),
    ],
)  # fmt: skip
def test_broken_files_are_named(tmp_path: Path, changes: str, sentence: str) -> None:
    with pytest.raises(MercuricError, match=re.escape(sentence)):
        read_adaptation(write_run(tmp_path, changes))


@pytest.mark.parametrize("name", ["layers.csv", "metrics.jsonl"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    (write_run(tmp_path) / name).unlink()
    with pytest.raises(MercuricError, match=f"{name} is missing"):
        read_adaptation(tmp_path)
