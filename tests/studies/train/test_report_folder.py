"""Is a missing or broken file named, with what is wrong with it?"""

import json
import re

import pytest

from mercuric.errors import MercuricError
from mercuric.studies.train.folder import read_run
from mercuric.studies.train.page import write_page


def test_no_such_folder(tmp_path):
    with pytest.raises(MercuricError, match="nowhere is not a run's folder") as caught:
        write_page(tmp_path / "nowhere", "")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["config.yaml", "metrics.jsonl", "layers.csv", "summary.json"])
def test_missing_file(write_run, name):
    run = write_run()
    (run / name).unlink()
    with pytest.raises(MercuricError, match=f"{re.escape(name)} is missing") as caught:
        write_page(run, "")
    assert caught.value.exit_code == 2
    assert not (run / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("summary.json", "{", "summary.json is broken: it is not JSON"),
        ("summary.json", "[]", "summary.json is broken: it is not a JSON object"),
        ("summary.json", '{"model": "vgg13"}', "the summary's data: field required"),
        (
            "summary.json",
            '{"model": "m", "data": "d", "seeds": [0], "dense": {"accuracy": "high"}}',
            "the summary's dense.accuracy: input should be a valid number",
        ),
        (
            "summary.json",
            '{"model": "m", "data": "d", "metric": "bleu", "seeds": [0], "dense": {"accuracy": 0.5}}',
            "the summary's dense.bleu: field required",
        ),
        (
            "summary.json",
            '{"model": "m", "data": "d", "metric": "rouge", "seeds": [0], "dense": {"rouge": 0.5}}',
            "the summary's metric: input should be 'accuracy' or 'bleu'",
        ),
        ("summary.json", '{"model": "m", "data": "d", "seeds": [0]}', "neither dense nor reuse"),
        ("config.yaml", "a: [", "config.yaml is not valid YAML: "),
        ("config.yaml", "- 1", "config.yaml is broken: it is not a YAML mapping"),
        ("config.yaml", "!!python/object/apply:os.getcwd []", "config.yaml is not valid YAML: "),
        ("layers.csv", "", "layers.csv is broken: "),
        ("layers.csv", "seed,layer\n0,conv1\n", "layers.csv is broken: the layers' column kind is missing"),
    ],
)
def test_broken_file(write_run, name, content, reason):
    run = write_run()
    (run / name).write_text(content)
    with pytest.raises(MercuricError, match=re.escape(reason)):
        write_page(run, "")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("vectors", "many", "has no valid vectors"),
        ("vectors", "7", "has HIT + MAU + MNU different from vectors"),
        ("zero_hits", "1e15", "has more zero_hits than HIT"),
        ("cycles_signature", "1e15", "has more cycles_signature than cycles_mercury"),
        ("fair_mercury", "", "has no valid fair_mercury"),
        ("error", "large", "has no valid error"),
        ("on", "perhaps", "has no valid on"),
    ],
)
def test_contradicting_layer(write_run, column, value, reason):
    run = write_run()
    lines = (run / "layers.csv").read_text().splitlines()
    cells = lines[2].split(",")
    cells[lines[0].split(",").index(column)] = value
    (run / "layers.csv").write_text("\n".join([*lines[:2], ",".join(cells), *lines[3:]]))
    expected = f"layers.csv is broken: layer features.2 of seed 0 {reason}"
    with pytest.raises(MercuricError, match=re.escape(expected)):
        read_run(run)


def test_last_line_cut_off_is_left_out(write_run):
    run = write_run()
    whole = read_run(run).metrics.steps
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"event": "step", "run": "reu')
    assert read_run(run).metrics.steps.equals(whole)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"event": "step", "run": "reu', "line 5 is broken: it is not JSON (Unterminated string"),
        ("3", "line 5 was a int, but must be a mapping"),
        (
            '{"event": "step", "run": "dense", "seed": 0, "epoch": 0, "step": 1, "seconds": 1}',
            "line 5 is broken: loss is missing",
        ),
        (
            '{"event": "step", "run": "other", "seed": 0, "epoch": 0, "step": 1, "loss": 1, "seconds": 1}',
            "line 5 is broken: run is 'other', expected dense or reuse",
        ),
        (
            '{"event": "step", "run": "dense", "seed": 0, "epoch": 0, "step": 1, "loss": "x", "seconds": 1}',
            "line 5 is broken: loss was 'x', but must be a valid number",
        ),
    ],
)
def test_broken_line_elsewhere_is_named(write_run, line, reason):
    run = write_run()
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("\n".join([*lines[:4], line, *lines[5:]]) + "\n")
    with pytest.raises(MercuricError, match=f"metrics.jsonl: {re.escape(reason)}"):
        read_run(run)


def test_an_epoch_without_the_run_s_metric_is_named(write_run):
    run = write_run(metric="bleu")
    text = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").write_text(text.replace("test_bleu", "test_accuracy"))
    with pytest.raises(MercuricError, match=r"metrics\.jsonl: line 61 is broken: test_bleu is missing"):
        read_run(run)


def test_steps_repeated_after_a_resume_count_once(write_run):
    run = write_run(seeds=(0,))
    again = json.loads((run / "metrics.jsonl").read_text().splitlines()[0]) | {"loss": 9.0}
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(again) + "\n")
    steps = read_run(run).metrics.steps
    first = steps[(steps["run"] == "dense") & (steps["step"] == 0)]
    assert first["loss"].tolist() == [9.0]


def test_unknown_events_and_fields_are_passed_over(write_run):
    run = write_run(change=lambda summary: summary.update(later="figure"))
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"event": "bits", "run": "reuse", "bits": 21}\n')
    assert read_run(run).summary.model == "vgg13"


def test_layers_may_be_called_null(write_run):
    names = ["null", "NA", "1"]
    assert read_run(write_run(layers=names)).layers["reuse"]["layer"].tolist() == names
