import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_help import pairs

from mercuric.data.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, cached_vocabulary, train_vocabulary
from mercuric.errors import MercuricError

SENTENCES = [sentence for pair in pairs() for sentence in pair]
VOCABULARY = train_vocabulary(SENTENCES, 200)
LETTERS = "".join(sorted({letter for sentence in SENTENCES for letter in sentence} - {" "}))


def test_the_special_ids_come_first() -> None:
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert [VOCABULARY.tokenizer.id_to_token(number) for number in range(4)] == list(SPECIAL)


@settings(deadline=None)
@given(st.lists(st.lists(st.text(LETTERS, min_size=1), min_size=1).map(" ".join)))
def test_sentences_of_known_characters_come_back(sentences: list[str]) -> None:
    assert VOCABULARY.decode(VOCABULARY.encode(sentences)) == sentences


def test_frequent_words_are_one_subword() -> None:
    assert len(VOCABULARY.encode(["Inserts"])[0]) == 1
    assert len(VOCABULARY.encode(["stresnI"])[0]) > 1


def test_an_unseen_character_is_unknown() -> None:
    assert UNK in VOCABULARY.encode(["Fügt 漢 ein."])[0]
    assert UNK not in VOCABULARY.encode(["Fügt ein."])[0]


def test_special_names_in_a_sentence_are_text() -> None:
    assert not {PAD, BOS, EOS} & set(VOCABULARY.encode(["Shows <eos> and <pad> and <bos>."])[0])


def test_special_ids_are_left_out_of_text() -> None:
    ids = VOCABULARY.encode(["Shows a table."])[0]
    assert VOCABULARY.decode([[BOS, *ids, EOS, PAD, PAD]]) == ["Shows a table."]


@pytest.mark.parametrize("size", [50, 100, 120])
def test_there_are_as_many_subwords_as_asked_for(size: int) -> None:
    assert len(train_vocabulary(SENTENCES, size)) == size


def test_few_sentences_give_few_subwords() -> None:
    assert len(train_vocabulary(["one two"], 8000)) < 20


def test_too_small_a_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="vocabulary_size was 7, but it must be at least 8 subwords"):
        train_vocabulary(SENTENCES, 7)


def test_another_process_learns_the_same_subwords(tmp_path: Path) -> None:
    (tmp_path / "sentences").write_text("\n".join(SENTENCES), encoding="utf-8")
    script = (
        "import sys; from pathlib import Path; from mercuric.data.vocabulary import train_vocabulary\n"
        "text = Path(sys.argv[1]).read_text(encoding='utf-8').split('\\n')\n"
        "print(train_vocabulary(text, 200).tokenizer.to_str())"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "sentences")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == VOCABULARY.tokenizer.to_str()


def test_it_is_learned_once_and_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_vocabulary(tmp_path, pairs(), 200)
    monkeypatch.setattr("mercuric.data.vocabulary.train_vocabulary", None)
    again = cached_vocabulary(tmp_path, pairs(), 200)
    assert again.tokenizer.to_str() == first.tokenizer.to_str() == VOCABULARY.tokenizer.to_str()
    assert again.encode(["Shows <eos>."]) == first.encode(["Shows <eos>."])


def test_other_sentences_and_sizes_have_their_own_file(tmp_path: Path) -> None:
    for found, size in ((pairs(), 200), (pairs(), 150), (pairs()[:5], 200)):
        cached_vocabulary(tmp_path, found, size)
    assert len(list(tmp_path.glob("vocabulary-*.json"))) == 3


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    cached_vocabulary(tmp_path, pairs(), 200)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(MercuricError, match=f"{path} is broken .*; remove it, and it is made again"):
        cached_vocabulary(tmp_path, pairs(), 200)


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("no folder")
    assert cached_vocabulary(nowhere, pairs(), 200).tokenizer.to_str() == VOCABULARY.tokenizer.to_str()
