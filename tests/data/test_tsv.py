from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercuric.data.tsv import read_pairs, write_pairs
from mercuric.errors import MercuricError

SENTENCE = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"])).map(str.strip)


@given(pairs=st.lists(st.tuples(SENTENCE.filter(bool), SENTENCE.filter(bool)), min_size=1))
def test_what_is_written_is_read(
    pairs: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tsv") / "train.tsv"
    write_pairs(path, pairs)
    assert read_pairs(path, "") == tuple(pairs)


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
