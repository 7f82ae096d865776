import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric.data.sentence_pairs import PARTS, Pair, page_pairs, part, sentences, split_pages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Opens a file. Closes it.", ["Opens a file.", "Closes it."]),
        ("Wirklich? Ja! Öffnet sie.", ["Wirklich?", "Ja!", "Öffnet sie."]),
        ("Von der 10. bis zur 18. Periode.", ["Von der 10. bis zur 18. Periode."]),
        ("Formate, z. B. Excel oder d. h. Calc.", ["Formate, z. B. Excel oder d. h. Calc."]),
        ("Use e.g. a file with 3.5 mm.", ["Use e.g. a file with 3.5 mm."]),
        ('Choose it. "Yes" closes it.', ["Choose it.", '"Yes" closes it.']),
        ("", [""]),
    ],
)  # fmt: skip
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
def test_no_word_is_lost(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


def test_elements_pair_by_id_and_by_their_number_of_sentences() -> None:
    here = {"a": "Opens a file. Closes the file.", "b": "One two three. Four.", "c": "Only in English here."}
    there = {
        "b": "Eins zwei drei vier.",
        "a": "Öffnet eine Datei. Schließt die Datei.",
        "d": "Nur auf Deutsch.",
    }
    assert page_pairs(here, there) == [
        ("Opens a file.", "Öffnet eine Datei."),
        ("Closes the file.", "Schließt die Datei."),
    ]


@pytest.mark.parametrize(("words", "kept"), [(2, False), (3, True), (30, True), (31, False)])
def test_sentences_of_3_to_30_words_are_kept(words: int, kept: bool) -> None:
    long, other = " ".join(["wort"] * words), "three English words"
    assert bool(page_pairs({"a": other}, {"a": long})) == kept
    assert bool(page_pairs({"a": long}, {"a": other})) == kept


def test_equal_sentences_are_no_translation() -> None:
    assert page_pairs({"a": "=SUM(A1; B2) + 3"}, {"a": "=SUM(A1; B2) + 3"}) == []


NAMES = {name: [page for page in map(str, range(200)) if part(page) == name] for name in PARTS}


def test_a_page_s_part_follows_from_its_name_alone() -> None:
    assert part("text/swriter/main0000.html") == part("text/swriter/main0000.html")
    assert len(NAMES["train"]) > 150
    assert NAMES["test"] and NAMES["validation"]


def test_sentences_of_training_are_dropped_from_test_and_those_of_both_from_validation() -> None:
    train, validation, test = (NAMES[name][0] for name in PARTS)
    split = split_pages(
        [
            (validation, [("t1", "T1"), ("e1", "X"), ("v1", "V1")]),
            (test, [("t1", "other"), ("other", "T2"), ("e1", "E1")]),
            (train, [("t1", "T1"), ("t2", "T2"), ("t1", "T1 again")]),
        ]
    )
    assert {name: sorted(kept) for name, kept in split.items()} == {
        "train": [("t1", "T1"), ("t2", "T2")],
        "validation": [("v1", "V1")],
        "test": [("e1", "E1")],
    }


def test_a_part_is_mixed_in_the_same_way_whatever_the_pages_order() -> None:
    pages = [(NAMES["train"][place], [(f"source {place}", "target")]) for place in range(20)]
    mixed = split_pages(pages)["train"]
    assert mixed == split_pages(pages[::-1])["train"]
    assert mixed != sorted(mixed)
    assert mixed != [pair for _, (pair,) in pages]


WORDS = st.sampled_from("abcdef")
PAGES = st.lists(st.tuples(st.integers(0, 199).map(str), st.lists(st.tuples(WORDS, WORDS))))


@given(PAGES)
def test_parts_share_no_sentence_and_lose_only_repeated_ones(pages: list[tuple[str, list[Pair]]]) -> None:
    split = split_pages(pages)
    everything = {pair for _, pairs in pages for pair in pairs}
    for name, kept in split.items():
        assert set(kept) <= everything
        assert len({source for source, _ in kept}) == len(kept)
        for other in set(PARTS) - {name}:
            for side in (0, 1):
                assert {pair[side] for pair in kept}.isdisjoint(pair[side] for pair in split[other])
    trained = {source for page, pairs in pages if part(page) == "train" for source, _ in pairs}
    assert {source for source, _ in split["train"]} == trained
