from pathlib import Path

import pytest

from mercuric.accelerator.hardware import Accelerator, as_accelerator, preset, presets

VALID = {"name": "mine", "rows": 3, "columns": 3, "clock_mhz": 100.0, "entries": 32, "ways": 4}


def test_the_papers_array() -> None:
    eyeriss = preset("eyeriss-168")
    assert (eyeriss.pes, eyeriss.entries, eyeriss.ways, eyeriss.timing) == (168, 1024, 16, "paper")
    assert eyeriss.seconds(200_000_000) == 1.0
    assert eyeriss in presets()


def test_a_name_or_a_description() -> None:
    mine = Accelerator.model_validate(VALID)
    assert as_accelerator(mine) is mine
    assert as_accelerator("eyeriss-168") == preset("eyeriss-168")


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="accelerator was 'eyeris', but must be one of 'broadcast-168'"):
        preset("eyeris")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows of accelerator 'mine' was 0, but must be at least 1"),
        ({"columns": -1}, "columns of accelerator 'mine' was -1, but must be at least 1"),
        ({"rows": 10**22}, "rows of accelerator 'mine' was 1" + "0" * 22 + ", but must be at most 16777216"),
        ({"versions": 0}, "versions of accelerator 'mine' was 0, but must be at least 1"),
        ({"insertion_queue": 0}, "insertion_queue of accelerator 'mine' was 0, but must be at least 1"),
        ({"pes": 9}, "pes"),
        ({"ways": 0}, "ways of accelerator 'mine' was 0"),
        ({"entries": 0}, "entries of accelerator 'mine' was 0"),
        ({"entries": 33}, "entries of accelerator 'mine' was 33, but must be a multiple of ways, 4"),
        ({"clock_mhz": 0.0}, "clock_mhz of accelerator 'mine' was 0.0, but must be a number above 0"),
        ({"clock_mhz": float("nan")}, "clock_mhz was nan, but must be a finite number"),
        ({"timing": "slow"}, "'paper' or 'fair'"),
        ({"cores": 3}, "cores"),
    ],
)
def test_bad_numbers(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        Accelerator(**(VALID | wrong))
    assert "\n" not in str(raised.value)


def test_no_entries_means_unlimited() -> None:
    assert Accelerator.model_validate(VALID | {"entries": None}).entries is None


def test_memories_have_defaults_and_limits() -> None:
    eyeriss = preset("eyeriss-168")
    assert (eyeriss.word_bits, eyeriss.register_file_words, eyeriss.buffer_words) == (16, 256, 55_296)
    assert eyeriss.dram_words_per_cycle is None
    wrong = {"word_bits": 0, "register_file_words": 2, "buffer_kib": 0.5, "dram_words_per_cycle": 0}
    for argument, value in wrong.items():
        with pytest.raises(ValueError, match=f"{argument} of accelerator 'eyeriss-168' was {value}"):
            eyeriss.changed(**{argument: value})


def test_the_three_comparable_arrays_differ_in_the_dataflow_alone() -> None:
    names = ("eyeriss-like", "simple-weight-stationary", "simple-output-stationary")
    alike = [preset(name).model_dump(exclude={"name", "dataflow", "dealing"}) for name in names]
    assert alike[0] == alike[1] == alike[2]
    assert [preset(name).dataflow for name in names] == ["row", "weight", "output"]
    assert [preset(name).dealing for name in names] == ["rows", "vectors", "vectors"]


@pytest.mark.parametrize("dataflow", ["weight", "input", "output"])
def test_another_dataflow_lets_go_what_it_has_no_choice_in(dataflow: str) -> None:
    eyeriss = preset("eyeriss-168")
    other = eyeriss.changed(dataflow=dataflow, design="asynchronous")
    assert other == preset(f"{dataflow}-168").changed(name="eyeriss-168", design="asynchronous")
    late = eyeriss.changed(name="late", late_hits="wait", replicas=4, clock_mhz=100)
    assert late.changed(dataflow=dataflow) == other.changed(name="late", design="synchronous", clock_mhz=100)


def test_what_is_asked_for_beside_another_dataflow_must_mean_something() -> None:
    eyeriss = preset("eyeriss-168")
    for option, value in (("dealing", "rows"), ("replicas", 4), ("late_hits", "wait"), ("mac_unit", True)):
        said = (
            f"{option} of accelerator 'eyeriss-168' was {value!r}, but must be .* where dataflow is 'weight'"
        )
        with pytest.raises(ValueError, match=said):
            eyeriss.changed(dataflow="weight", **{option: value})
    with pytest.raises(ValueError, match="dataflow was 'diagonal', but must be one of 'row'"):
        eyeriss.changed(dataflow="diagonal")
    with pytest.raises(ValueError, match=r"entries of accelerator .* was 24, but must be a multiple"):
        eyeriss.changed(dataflow="weight", entries=24)


def test_the_same_dataflow_keeps_every_option() -> None:
    eyeriss = preset("eyeriss-168").changed(replicas=4)
    assert eyeriss.changed(dataflow="row") == eyeriss


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nrows: 3\ncolumns: 3\nentries: 32\nways: 4\n")
    with pytest.raises(ValueError, match="clock_mhz of the Accelerator is missing, but must be given"):
        as_accelerator(path)
