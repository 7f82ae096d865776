"""Does the table of accuracies say what was measured?"""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from mercuric import reuse_, zoo
from mercuric.errors import MercuricError
from mercuric.files.csv_text import csv_text
from mercuric.studies.accuracy.rows import EPOCHS, EXAMPLES, MAIN, OTHERS, SEEDS, chosen
from mercuric.studies.accuracy.study import AccuracyRow, measure
from mercuric.studies.accuracy.table import accuracy_markdown, accuracy_table
from mercuric.studies.train.config import RunConfig
from mercuric.studies.workers import Workers
from mercuric.training import TrainingConfig

SMALL = RunConfig(
    model="custom-cnn",
    width=0.25,
    runs=("dense", "reuse"),
    seeds=(0, 1),
    train_examples=64,
    image_size=16,
    training=TrainingConfig(batch_size=32),
)
ROW = AccuracyRow(
    row="a", model="vgg13", width=0.25, data="photos", examples=10_000, epochs=10, seeds=3, metric="accuracy",
    dense=0.9012, dense_spread=0.0012, reuse=0.8901, reuse_spread=0.002, without_reuse=0.8910, hit_rate=0.5,
    zero_hit_rate=0.125, final_bits=27 + 1 / 3, layers_off=7, layers=11, seconds_dense=60, seconds_reuse=240,
)  # fmt: skip


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Processes share the threads, and gradients' last bits go by their number: a test image may flip."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_rows_trained_in_processes_are_those_trained_in_one(tmp_path: Path) -> None:
    rows = {"narrow": SMALL, "wider": SMALL.model_copy(update={"width": 0.5})}
    told: list[tuple[object, ...]] = []
    alone = measure(rows, tmp_path / "alone", progress=lambda *one: told.append(one))
    beside = measure(rows, tmp_path / "beside", Workers(2))
    assert [row.row for row in alone] == ["narrow", "wider"]
    for one, other in zip(alone, beside, strict=True):
        seconds = {"seconds_dense": one.seconds_dense, "seconds_reuse": one.seconds_reuse}
        assert replace(other, **seconds) == one
    assert told[-1][:2] == (2 * 2 * 2, 2 * 2 * 2)
    assert told[-1][3] == "wider"
    first = alone[0]
    assert (first.examples, first.epochs, first.seeds, first.metric, first.layers) == (
        64,
        1,
        2,
        "accuracy",
        5,
    )
    assert 0 < first.hit_rate < 1
    assert first.gap == pytest.approx(100 * (first.dense - first.reuse))
    read = list(csv.DictReader(io.StringIO((tmp_path / "alone" / "accuracy.csv").read_text())))
    assert [float(row["dense"]) for row in read] == [row.dense for row in alone]


def test_finished_rows_are_read_again_not_trained(tmp_path: Path) -> None:
    rows = {"narrow": SMALL.model_copy(update={"seeds": (0,)})}
    before = measure(rows, tmp_path)
    told: list[str] = []
    assert measure(rows, tmp_path, resume=True, progress=lambda *_: told.append("step")) == before
    assert not told
    with pytest.raises(MercuricError, match="holds a run already; add --resume"):
        measure(rows, tmp_path)
    with pytest.raises(MercuricError, match=r"holds another run: width was 0\.25, now 0\.5"):
        measure({"narrow": rows["narrow"].model_copy(update={"width": 0.5})}, tmp_path, resume=True)


def test_the_rows_are_as_large_as_the_table_says() -> None:
    for name, config in (MAIN | OTHERS).items():
        assert config.runs == ("dense", "reuse")
        assert name.startswith(f"{config.model}-{config.data}")
        assert config.train_examples == (EXAMPLES if len(config.seeds) == 3 else 5_000)
    for config in MAIN.values():
        assert config.train_examples == EXAMPLES >= 10_000
        assert config.training.epochs == EPOCHS >= 10
    assert {config.seeds for config in MAIN.values()} == {SEEDS} == {(0, 1, 2)}
    assert {config.model for config in (MAIN | OTHERS).values()} == {*zoo.names(), "transformer"}
    assert {config.model for config in MAIN.values()} == {
        "vgg13", "resnet18", "mobilenet-v2", "squeezenet-1.0", "transformer"
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OTHERS | MAIN))
def test_every_row_can_be_built(name: str) -> None:
    config = (MAIN | OTHERS)[name]
    if config.model == "transformer":
        assert config.max_words
        return
    with torch.device("meta"):
        network = zoo.build(config.model, 10, 1, 32, config.width)
    assert 3 < len(reuse_(network, config.reuse).layers) < 400


def test_choosing_rows() -> None:
    assert chosen([]) == MAIN
    assert chosen(["vgg13-photos", "others"]) == {"vgg13-photos": MAIN["vgg13-photos"], **OTHERS}
    assert list(chosen(["vgg13-photos"])) == ["vgg13-photos"]
    with pytest.raises(ValueError, match=r"^row was 'vgg13', but must be others or one of vgg13-fash"):
        chosen(["vgg13"])
    with pytest.raises(ValueError, match=r"^jobs was 0, but must be at least 1$"):
        measure({}, Path(), Workers(0))


def test_the_table_in_markdown() -> None:
    translated = AccuracyRow(
        **{**vars(ROW), "metric": "bleu", "dense": 20.0, "reuse": 19.5, "data": "help-en-de"}
    )
    lines = accuracy_markdown([ROW, translated]).splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| vgg13 | 0.25 | photos | 90.12 % (0.12) | 89.01 % (0.20) | **1.11** | 89.10 % | 50.0 % | 12.5 % | "
        "27.3 | 7 of 11 |"
    )
    assert "| 20.00 BLEU (0.00) | 19.50 BLEU (0.00) | 0.50 | 0.89 BLEU |" in lines[3]
    assert {line.count("|") for line in lines} == {12}
    assert accuracy_table([ROW]).row_count == 1
    assert csv_text([asdict(ROW)]).startswith("row,model,width,data,examples,epochs,seeds,metric,dense,")
