"""When does a claim hold?"""

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from mercuric.studies.reproduce.claim import Claim, Statement
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.verdict import holds, measured, together, verdict

finite = st.floats(-1e6, 1e6)
answers = st.lists(st.sampled_from([True, False, None]))


@given(finite, finite, st.floats(0.001, 1))
def test_near_is_a_share_of_the_source(paper: float, ours: float, tolerance: float) -> None:
    statement = Statement(says="", paper=paper, tolerance=tolerance)
    assert holds(statement, Number(ours)) is (abs(ours - paper) <= tolerance * abs(paper))


@given(finite, finite)
def test_at_least_and_at_most(paper: float, ours: float) -> None:
    assert holds(Statement(says="", paper=paper, test="at_least"), Number(ours)) is (ours >= paper)
    assert holds(Statement(says="", paper=paper, test="at_most"), Number(ours)) is (ours <= paper)


def test_a_truth() -> None:
    said = Statement(says="", test="true")
    assert [holds(said, number) for number in (Number(1.0), Number(0.0), Number(None), None)] == [
        True,
        False,
        None,
        None,
    ]


def test_a_spread_that_swallows_the_answer_gives_none() -> None:
    statement = Statement(says="", paper=2.0)
    assert holds(statement, Number(1.9, spread=(1.8, 2.1))) is True
    assert holds(statement, Number(1.9, spread=(1.5, 2.1))) is None
    assert holds(statement, Number(1.5, spread=(1.4, 1.6))) is False


def test_a_spread_with_the_source_inside_does_not_speak_against_it() -> None:
    assert holds(Statement(says="", paper=2.0), Number(1.5, spread=(1.0, 4.0))) is None


def test_no_number_is_no_answer() -> None:
    statement = Statement(says="", paper=2.0)
    assert holds(statement, Number(nan)) is None
    assert not measured(Number(nan))


@given(answers)
def test_together(found: list[bool | None]) -> None:
    said = together(found)
    assert (said == "not measured") == (found == [])
    assert (said == "holds") == (bool(found) and set(found) == {True})
    assert (said == "no") == (bool(found) and set(found) == {False})


def test_what_was_not_measured_says_nothing() -> None:
    claim = Claim(
        name="toy", title="", part="", source="mercury", sentence="", runs=(),
        statements={"one": Statement(says="", paper=1), "two": Statement(says="", paper=1)},
    )  # fmt: skip
    assert verdict(claim, Found({"one": Number(1.0)}, "")) == "holds"
    assert verdict(claim, Found({"one": Number(1.0), "two": Number(3.0)}, "")) == "partly"
    assert verdict(claim, Found({"one": Number(None)}, "")) == "not measured"
