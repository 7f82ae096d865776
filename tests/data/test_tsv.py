import os
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.data.tsv import read_pairs, write_pairs
from mercuric.errors import MercuricError

SENTENCE = st.text(st.characters(exclude_characters="\0\t\n", exclude_categories=["Cs"])).map(str.strip)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(SENTENCE.filter(bool), SENTENCE.filter(bool)), min_size=1))
def test_what_is_written_is_read(
    pairs: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tsv") / "train.tsv"
    write_pairs(path, pairs)
    composed = tuple(
        (normalize("NFC", source).strip(), normalize("NFC", target).strip()) for source, target in pairs
    )
    assert read_pairs(path, "") == composed


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_sentences_are_composed_whatever_form_they_are_stored_in(
    tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    path = tmp_path / "train.tsv"
    path.write_bytes(normalize(form, "caf\u00e9\tsch\u00f6n\n").encode())
    assert read_pairs(path, "") == (("caf\u00e9", "sch\u00f6n"),)


def test_spaces_that_do_not_break_and_quotes_are_text(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_bytes('"10\u00a0km"\u00a0\t\u00a0"10\u00a0km, \'weit\'"\n'.encode())
    assert read_pairs(path, "") == (('"10\u00a0km"', "\"10\u00a0km, 'weit'\""),)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.tsv")
    with pytest.raises(MercuricError, match=r"train.tsv is a pipe, but must be sentence pairs"):
        read_pairs(tmp_path / "train.tsv", "")


def test_windows_line_ends_and_a_byte_order_mark_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_bytes("\ufeffA dog.\tEin Hund.\r\nA cat.\tEine Katze.\r\n".encode())
    assert read_pairs(path, "") == (("A dog.", "Ein Hund."), ("A cat.", "Eine Katze."))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r" is empty, but must hold sentence pairs; ask me"),
        (b"a\tb\nno tab\n", r":2 has 1 column, but must have 2, source and target, separated by a tab"),
        (b"a\tb\n\nc\td\n", r":2 has 1 column"),
        (b"a\tb\nc\td\te\n", r":2 has 3 columns, but must have 2"),
        (b"\tb\n", r":1 has an empty source sentence"),
        (b"a\tb\nc\t \n", r":2 has an empty target sentence"),
        (b"a\tb\nc\tf\xfcr\n", r":2 is not UTF-8 \(invalid start byte at byte 4\)"),
        (b"a\tb\nc\0\td\n", r":2 holds a NUL byte, but must be text"),
        (
            b"a\tb\nc\t" + b"x" * 10**6 + b"\n",
            r":2 has a word of 1,000,000 characters, but must have at most 1,000",
        ),
        (b"a\tb\nc\tEin Hu", r":2 does not end in a line feed, so the file seems to be cut off; ask me"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_bytes(content)
    with pytest.raises(MercuricError, match=f"^{path}{complaint}"):
        read_pairs(path, "ask me")


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=f"{tmp_path / 'test.tsv'} is missing; fetch it"):
        read_pairs(tmp_path / "test.tsv", "fetch it")
