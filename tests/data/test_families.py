import hypothesis.strategies as st
from hypothesis import given

from mercuric.data.families import for_testing

FAMILIES = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))


@given(FAMILIES)
def test_a_fifth_of_the_pictures_at_most_is_for_testing(families: list[str]) -> None:
    chosen = for_testing(families)
    assert chosen <= set(families)
    assert 5 * sum(family in chosen for family in families) <= len(families)


@given(FAMILIES, st.randoms())
def test_the_order_of_the_pictures_does_not_matter(families: list[str], random: object) -> None:
    shuffled = sorted(families, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert for_testing(shuffled) == for_testing(families)


@given(st.integers(5, 200))
def test_pictures_without_relatives_are_split_exactly(count: int) -> None:
    assert len(for_testing(map(str, range(count)))) == count // 5


def test_a_family_that_is_too_large_is_for_training_and_some_of_the_others_too() -> None:
    others = [f"other {number}" for number in range(20)]
    chosen = for_testing(["large"] * 80 + others)
    assert len(chosen) == 4
    assert chosen < set(others)


def test_nothing_is_for_testing_where_no_family_fits() -> None:
    assert for_testing(["one"] * 10) == for_testing(["one"] * 5 + ["two"] * 5) == frozenset()


def test_the_names_decide_not_their_order() -> None:
    chosen = for_testing(f"{number:03}" for number in range(100))
    assert chosen != {f"{number:03}" for number in range(20)}
    assert len({name[0:2] for name in chosen}) > 5
