"""Do the terminal's tables say what the files say?"""

import io
import json

import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table

from mercuric.studies.train.terminal import simulation_table, summary_table
from mercuric.studies.train.words.mercury_table import layer_table


def printed(table: Table) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def line(text: str, label: str) -> list[str]:
    return next(row for row in text.splitlines() if label in row).replace("│", " ").split()


def test_summary_side_by_side(write_run):
    text = printed(summary_table(json.loads((write_run() / "summary.json").read_text())))
    assert "vgg13 on fashion-mnist, 3 seeds" in text
    assert line(text, "test accuracy") == ["test", "accuracy", "89.06", "%", "87.75", "%"]
    assert line(text, "speed-up, paper timing")[-2:] == ["1.55x", "1.97x"]
    assert "of which zero vectors" in text
    assert "spread over seeds" in text


def test_a_bleu_and_a_width(write_run):
    run = write_run(metric="bleu", change=lambda summary: summary.update(width=0.5))
    text = printed(summary_table(json.loads((run / "summary.json").read_text())))
    assert "transformer at width 0.5 on help-en-de, 3 seeds" in text
    assert line(text, "test BLEU") == ["test", "BLEU", "89.06", "87.75"]


@pytest.mark.parametrize(("kinds", "absent"), [(("dense",), "MERCURY"), (("reuse",), "dense")])
def test_one_kind_has_no_other_column(write_run, kinds, absent):
    def quiet(summary):
        summary.pop("cycles", None)

    text = printed(
        summary_table(json.loads((write_run(kinds=kinds, change=quiet) / "summary.json").read_text()))
    )
    assert absent not in text


def test_a_name_is_no_markup(write_run):
    run = write_run(model="[red]net[/]", layers=["[bold]conv[/nothing]"])
    assert "[red]net[/]" in printed(summary_table(json.loads((run / "summary.json").read_text())))
    assert "[bold]conv[/nothing]" in printed(layer_table(pd.read_csv(run / "layers.csv")))


def test_a_layer_a_row(write_run):
    layers = pd.read_csv(write_run() / "layers.csv")
    text = printed(layer_table(layers))
    names = [row.split()[0] for row in text.splitlines() if "%" in row]
    assert names == list(layers["layer"].unique())
    assert len(names) == 12
    assert "off" in line(text, "features.0")
    assert line(text, "features.0")[-1] == "0.48x"


def test_bad_input_is_a_value_error():
    with pytest.raises(ValueError, match="the summary's model: field required"):
        summary_table({})
    with pytest.raises(ValueError, match="the layers' column seed is missing"):
        layer_table(pd.DataFrame())


def test_a_simulated_batch():
    cycles = {"baseline": 3000, "mercury": 2000, "signature": 500}
    summary = {
        "model": "vgg13", "data": "photos", "images": 4, "image_size": 32, "products": "forward",
        "weights": "random, seed 0",
        "reuse": {"hit_rate": 0.75, "zero_rate": 0.3, "similar_rate": 0.5, "bits": 12, "granularity": 4,
                  "magnitude": 3, "scope": "batch", "entries": None, "ways": 16},
        "cycles": {"accelerator": "eyeriss-168", "paper": cycles, "fair": {**cycles, "baseline": 1000}},
        "speedup": {"paper": 1.5, "fair": 0.5}, "baselines": {},
    }  # fmt: skip
    text = printed(simulation_table(summary))
    assert line(text, "paper")[-1] == "1.50x"
    assert line(text, "fair")[-1] == "0.50x"
    assert "weights: random, seed 0" in text
    assert (
        "12-bit signatures of windows of 4 channels, sizes of 3 bits beside, compared over the batch; an "
        "unlimited MCACHE:"
    ) in " ".join(text.split())
    assert "75.0 % of vectors hit (50.0 % similar, the rest zero)" in " ".join(text.split())
