"""Functions timed in turn, by a clock that is under control."""

import pandas as pd
import pytest

from mercuric.studies.bench.interleaved import Spread, Timings, interleaved
from mercuric.studies.bench.layer_times import timed_row
from mercuric.studies.bench.planted import planted_rows
from mercuric.studies.bench.table import strongest_dense


class Clock:
    """Seconds that pass only where a function says so."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, []

    def __call__(self) -> float:
        return self.now

    def takes(self, name: str, *seconds: float):
        """A function that takes these seconds, call by call, the last of them ever after."""
        left = list(seconds)

        def run() -> None:
            self.calls.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_functions_take_turns_and_every_second_round_runs_backwards() -> None:
    clock = Clock()
    functions = {name: clock.takes(name, 1.0) for name in "abc"}
    interleaved(functions, rounds=3, warm_ups=0, clock=clock)
    assert "".join(clock.calls) == "abccbaabc"


def test_warm_ups_are_not_counted() -> None:
    clock = Clock()
    functions = {"dense": clock.takes("dense", 50.0, 2.0), "reuse": clock.takes("reuse", 90.0, 1.0)}
    timings = interleaved(functions, rounds=4, warm_ups=1, clock=clock)
    assert timings.seconds == {"dense": [2.0] * 4, "reuse": [1.0] * 4}
    assert timings.milliseconds("reuse") == Spread(1000, 1000, 1000)


def test_ratios_are_taken_round_by_round() -> None:
    clock = Clock()
    dense = clock.takes("dense", 4.0, 40.0, 4.0)
    reuse = clock.takes("reuse", 2.0, 20.0, 2.0)
    timings = interleaved({"dense": dense, "reuse": reuse}, rounds=3, warm_ups=0, clock=clock)
    assert timings.speedup("reuse") == Spread(2.0, 2.0, 2.0)
    assert timings.speedup("dense") == Spread(1.0, 1.0, 1.0)
    assert timings.speedup("dense", over="reuse") == Spread(0.5, 0.5, 0.5)


def test_short_functions_run_as_often_as_fills_a_measurement() -> None:
    clock = Clock()
    functions = {"long": clock.takes("long", 1.0), "short": clock.takes("short", 0.125)}
    timings = interleaved(functions, rounds=2, warm_ups=1, least=0.5, clock=clock)
    assert clock.calls.count("long") == 3
    assert clock.calls.count("short") == 1 + 2 * 4
    assert timings.seconds == {"long": [1.0, 1.0], "short": [0.125, 0.125]}


def test_the_fastest_is_the_one_with_the_smallest_median() -> None:
    timings = Timings({"a": [1.0, 9.0, 9.0], "b": [2.0, 2.0, 20.0]})
    assert timings.fastest("a", "b") == "b"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"functions": {}}, "functions was empty"),
        ({"rounds": 0}, "rounds was 0, but must be at least 1"),
        ({"warm_ups": -1}, "warm_ups was -1, but must be at least 0"),
    ],
)
def test_what_can_not_be_timed_is_named(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        interleaved(**{"functions": {"a": int}, **options})


def test_planted_rows_repeat_as_often_as_was_asked() -> None:
    for share in (0.0, 0.25, 0.9):
        rows = planted_rows(200, 5, share, seed=3)
        assert len(rows.unique(dim=0)) == round(200 * (1 - share))
    with pytest.raises(ValueError, match=r"share of duplicates was 1, but must be from 0 to below 1"):
        planted_rows(4, 4, 1)
    with pytest.raises(ValueError, match="rows was 0"):
        planted_rows(0, 4, 0.5)


def test_ratios_are_over_the_strongest_dense_form() -> None:
    seconds = {"dense": [0.004, 0.004], "dense, as 1x1 convolution": [0.002, 0.002], "reuse": [0.001, 0.001]}
    row = timed_row(Timings(seconds), "reuse")
    assert row["dense_form"] == "dense, as 1x1 convolution"
    assert row["dense_ms"] == 2 and row["speedup"] == 2
    plain = timed_row(Timings({"dense": [0.002], "reuse": [0.001]}), "reuse")
    assert strongest_dense(pd.DataFrame([plain])) == "" == strongest_dense(pd.DataFrame({"ms": [1.0]}))
    assert strongest_dense(pd.DataFrame([plain, row, row])) == (
        "Strongest form of dense, and in how many measurements: dense, as 1x1 convolution (2), dense (1)."
    )
