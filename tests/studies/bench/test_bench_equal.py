"""Exact reuse timed beside dense forms: figures, distances, limits, and what is said of missing data."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor
from typer.testing import Result

from mercuric.data import ImageData
from mercuric.data.normalisation import Normalisation
from mercuric.data.split import InMemorySplit
from mercuric.studies.bench.equal import cases, study
from mercuric.studies.bench.equal.cases import Case, Inputs, build, chosen_cases, drawn_batches
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.exactness import Result as Outcome
from mercuric.studies.bench.equal.exactness import exactness
from mercuric.studies.bench.equal.forms import Batch
from mercuric.studies.bench.equal.limits import Limits
from mercuric.studies.bench.interleaved import Timings

Run = Callable[..., Result]
Refused = Callable[..., str]
SMALL = {"batches": 2, "rounds": 1, "threads": (1,), "compiled": False, "memory": False, "width": 0.125}


def drawings(side: int, channels: int = 3, count: int = 8) -> ImageData:
    """White images with a small square in one of few places."""
    images = torch.full((count, channels, side, side), 255, dtype=torch.uint8)
    for place, image in enumerate(images):
        image[:, 4 * (place % 2) + 4 :][:, :3, 6:9] = 40 * (place % 3)
    split = InMemorySplit(
        images, torch.arange(count) % 2, Normalisation((0.5,) * channels, (0.5,) * channels)
    )
    return ImageData("drawings", ("upper", "lower"), channels, side, split, split)


@pytest.fixture
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        study, "load", lambda case, _: drawings(84, 4) if case.network == "dqn" else drawings(32)
    )


@pytest.mark.usefixtures("_drawn")
def test_every_pass_is_timed_and_its_limit_kept_to_the_layers_counts() -> None:
    found = study.bench_equal(
        EqualBench(networks=("restoration",), data="photos", batch_size=2, most=1.0, **SMALL)
    )
    timed = found["timed"]
    assert timed["pass"].tolist() == ["forward", "forward + backward"]
    assert set(timed["strongest"]) <= {"contiguous", "channels_last"}
    assert (timed["limit"] > 2).all() and (timed["ms"] > 0).all()
    assert (timed["efficiency"] * timed["limit"]).tolist() == pytest.approx(timed["whole"].tolist())
    layers = found["layers"]
    assert set(layers["threads"]) == set(found["exact"]["threads"]) == {1}
    assert (layers["computes"] == "classes").all()
    assert (layers["computed"] == 1 - layers["equal"]).all(), "the same batches, in all layers"
    needed = (layers["macs_share"] * (1 - layers["equal"])).sum()
    assert timed["limit"].iloc[0] == pytest.approx(1 / needed)
    assert len(found["batches"]) == 4 and found["skipped"].empty
    exact = found["exact"].set_index("of")
    assert (exact[["from_dense", "from_float64"]] < 1e-4).all(axis=None)
    assert (exact["in_float64"] < 1e-12).all()


@pytest.mark.usefixtures("_drawn")
def test_a_player_learns_in_a_step_of_its_own() -> None:
    found = study.bench_equal(EqualBench(networks=("dqn",), data="photos", batch_size=4, **SMALL))
    step = found["timed"].set_index("pass").loc["training step"]
    assert step["strongest"] == "channels_last" and step["ms"] > 0


@pytest.mark.usefixtures("_drawn")
def test_inference_alone() -> None:
    config = EqualBench(networks=("custom-cnn",), data="photos", forward_only=True, **SMALL)
    found = study.bench_equal(config)
    assert found["timed"]["pass"].tolist() == ["forward"] and found["exact"]["of"].tolist() == ["outputs"]


@pytest.mark.usefixtures("_drawn")
def test_each_row_says_on_how_many_threads_and_distances_can_be_left_out() -> None:
    config = EqualBench(
        networks=("custom-cnn",), data="photos", exactness=False, **{**SMALL, "threads": (1, 2)}
    )
    found = study.bench_equal(config)
    assert found["exact"].empty and found["memory"].empty
    assert all(found[name]["threads"].unique().tolist() == [1, 2] for name in ("timed", "batches", "layers"))


def test_ratios_are_over_the_strongest_dense_form_and_over_all_batches() -> None:
    timings = [
        Timings({"contiguous": [4.0], "channels_last": [3.0], "exact reuse": [1.0]}),
        Timings({"contiguous": [4.0], "channels_last": [3.0], "exact reuse": [3.0]}),
    ]
    whole, first, second = study.summed_up(timings, 2.0, [4.0, 1.0])
    assert whole["strongest"] == "channels_last" and whole["speedup"] == 2
    assert whole["whole"] == 6 / 4 and whole["efficiency"] == 0.75
    assert (first["speedup"], first["limit"], second["speedup"]) == (3, 4, 1)


def test_a_limit_is_that_of_the_vectors_that_differ() -> None:
    blank = torch.zeros(2, 3, 16, 16)
    batch = Batch(blank, blank.to(torch.uint8), torch.tensor([0, 1]))
    limits = Limits(Case("restoration", "drawings"), Inputs(2, 3, 16), EqualBench(width=0.125))
    first = limits.read(batch)
    assert first > 1.2 and limits.limit == first
    noise = torch.rand(2, 3, 16, 16)
    assert limits.read(Batch(noise, batch.pixels, batch.labels)) == pytest.approx(1, abs=0.02)
    assert 1 < limits.limit < first


def test_distances_are_over_the_largest_number_of_a_module() -> None:
    dense = Outcome(
        torch.tensor([1.0, -4.0]), {"a.weight": torch.tensor([2.0]), "a.bias": torch.tensor([0.0])}
    )
    other = Outcome(
        torch.tensor([1.0, -3.0]), {"a.weight": torch.tensor([2.0]), "a.bias": torch.tensor([0.5])}
    )
    assert other.distances(dense) == (0.25, 0.25)


def test_what_exactness_finds_is_wrong_where_the_input_is_rounded() -> None:
    images = torch.linspace(0, 1, 3 * 256).view(1, 3, 16, 16)
    batch = Batch(images, images.to(torch.uint8), torch.tensor([0]))
    config = EqualBench(width=0.125, levels=2)
    found = exactness(Case("restoration", "drawings"), Inputs(2, 3, 16), [batch], config)
    assert found["outputs"]["from_dense"] > 0.01 > found["outputs"]["dense_from_float64"]


def test_exactness_is_of_the_dtype_that_is_timed() -> None:
    images = torch.zeros(1, 3, 64, 64)
    images[:, :, 20:40, 20:40] = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    batch = Batch(images, images.to(torch.uint8), torch.tensor([0]))
    config = EqualBench(width=0.25, dtype="bfloat16", most=1.0)
    found = exactness(Case("restoration", "drawings"), Inputs(2, 3, 64), [batch], config)
    for distance in found.values():
        assert distance["in_float64"] < 1e-12 < 1e-4 < distance["dense_from_float64"]
        assert distance["from_float64"] < 2 * distance["dense_from_float64"]


def test_batches_hold_no_image_twice_and_one_class_where_asked() -> None:
    labels = torch.tensor([0, 1] * 10 + [1])
    mixed = drawn_batches(Case("dqn", "atari", None, 4), labels, 9, seed=0)
    assert len(mixed) == 5 and len(torch.cat(mixed).unique()) == 20
    one = drawn_batches(Case("dqn", "atari", None, 4, one_class=True), labels, 3, seed=0)
    assert [labels[part].unique().tolist() for part in one] == [[0], [1], [0]]
    with pytest.raises(ValueError, match="batch_size was 22, but atari has at most 21 images"):
        drawn_batches(Case("dqn", "atari", None, 22), labels, 1, seed=0)


def test_cases_are_those_of_the_table_where_nothing_is_said() -> None:
    assert chosen_cases(EqualBench()) == list(cases.CASES)
    assert {case.data for case in chosen_cases(EqualBench(networks=("dqn",)))} == {"atari"}
    assert chosen_cases(EqualBench(networks=("vgg13",))) == [Case("vgg13", "photos")]
    assert chosen_cases(EqualBench(data="atari", batch_size=8))[0] == Case("dqn", "atari", None, 8, True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"networks": ("vgg12",)}, "network was 'vgg12', but must be one of"),
        ({"data": "cifar10"}, "networks was empty, but must name what reads cifar10"),
        ({"clock": "cpu", "threads": (2,)}, "threads was 2, but must be 1 by the processor's seconds"),
        ({"most": 2.0}, "most was 2"),
        ({"networks": ("dqn",), "data": "photos"}, "image_size was 32, but dqn reads images of 84 pixels"),
    ],
)
def test_what_can_not_be_timed_is_named(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        study.bench_equal(EqualBench(**{**SMALL, **fields}))


def test_the_command_names_data_that_are_missing(mercuric: Run, tmp_path: Path) -> None:
    result = mercuric("bench", "equal", "vgg16", "--data-root", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    [skipped] = json.loads(result.stdout)["skipped"]
    assert skipped == {"network": "vgg16", "data": "screens", "how": "mercuric data fetch screens"}


@pytest.mark.usefixtures("_drawn")
def test_the_command_writes_its_tables(mercuric: Run, tmp_path: Path) -> None:
    options = ("--batch-size", 2, "--batches", 1, "--rounds", 1, "--width", 0.125, "--threads", "1")
    switches = ("--no-compile", "--no-memory", "--out", tmp_path)
    result = mercuric("bench", "equal", "restoration", "--data", "photos", *options, *switches)
    assert result.exit_code == 0, result.output
    assert "layer by layer" in result.stdout and "largest difference" in result.stdout
    assert len(pd.read_csv(tmp_path / "equal-layers.csv")) == 7
    assert not (tmp_path / "equal-skipped.csv").exists()
    assert "bench equal restoration --data photos" in (tmp_path / "command.txt").read_text()


@pytest.fixture
def _stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two cases is stopped as it begins, once."""
    stops = [KeyboardInterrupt()]

    def stopping(case: Case, labels: Tensor, count: int, seed: int) -> list[Tensor]:
        if case.network == "custom-cnn" and stops:
            raise stops.pop()
        return drawn_batches(case, labels, count, seed)

    monkeypatch.setattr(study, "drawn_batches", stopping)


@pytest.mark.usefixtures("_drawn", "_stopped")
def test_a_run_that_was_stopped_goes_on_after_the_case_that_was_finished(
    mercuric: Run, refused: Refused, tmp_path: Path
) -> None:
    options = ("--batch-size", 2, "--batches", 1, "--rounds", 1, "--width", 0.125, "--threads", "1")
    switches = ("--no-compile", "--no-memory", "--no-exactness", "--out", tmp_path)
    command = ("bench", "equal", "restoration", "--data", "photos", *options, *switches)
    both = (*command[:3], "custom-cnn", *command[3:])
    assert mercuric(*both).exit_code == 130
    first = pd.read_csv(tmp_path / "equal-timed.csv")
    assert set(first["network"]) == {"restoration"} and not (tmp_path / "equal-exact.csv").exists()
    assert "add --resume to go on" in refused(mercuric(*both))
    assert "seed was 0, now 1" in refused(mercuric(*both, "--resume", "--seed", 1))
    result = mercuric(*both, "--resume")
    assert result.exit_code == 0, result.output
    timed = pd.read_csv(tmp_path / "equal-timed.csv")
    assert timed["network"].unique().tolist() == ["restoration", "custom-cnn"]
    assert timed["ms"].tolist()[:2] == pytest.approx(first["ms"].tolist()), "not measured again"
    (tmp_path / "equal.json").write_text('{"timed": 3}')
    assert "equal.json is broken: timed is no list of rows" in refused(mercuric(*both, "--resume"))


def test_only_a_folder_can_be_gone_on_with(mercuric: Run, refused: Refused) -> None:
    assert "resume was given, but must come with --out" in refused(mercuric("bench", "equal", "--resume"))


def test_threads_that_are_no_numbers(mercuric: Run, refused: Refused) -> None:
    assert "threads was 'all', but must be whole numbers" in refused(
        mercuric("bench", "equal", "--threads", "all")
    )


def test_the_same_weights_in_every_form() -> None:
    config, inputs = EqualBench(width=0.125), Inputs(2, 3, 16)
    one, other = (build(Case("restoration", "photos"), inputs, config).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
