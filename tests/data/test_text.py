from pathlib import Path

import pytest
import torch
from small_help import pairs

from mercuric import data
from mercuric.data.tsv import write_pairs
from mercuric.errors import MercuricError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "train.tsv", pairs()[:24])
    write_pairs(tmp_path / "validation.tsv", pairs()[24:30])
    write_pairs(tmp_path / "test.tsv", pairs()[30:])
    return tmp_path


def test_parts_hold_the_sentences_of_their_files(root: Path) -> None:
    loaded = data.load("tsv", root, vocabulary_size=200)
    assert loaded.validation is not None
    assert (len(loaded.train), len(loaded.validation), len(loaded.test)) == (24, 6, 6)
    assert list(zip(loaded.test.sources, loaded.test.targets, strict=True)) == pairs()[30:]
    assert loaded.name == "tsv"


def test_validation_may_be_missing(root: Path) -> None:
    (root / "validation.tsv").unlink()
    assert data.load("tsv", root).validation is None


def test_a_batch_is_padded_and_its_targets_are_framed(root: Path) -> None:
    loaded = data.load("tsv", root, vocabulary_size=120)
    places = torch.tensor([3, 0, 3, 17])
    source, target = loaded.train.batch(places)
    assert source.dtype == target.dtype == torch.int64
    for row, place in enumerate(places.tolist()):
        here, there = loaded.vocabulary.encode([loaded.train.sources[place], loaded.train.targets[place]])
        assert source[row].tolist() == here + [0] * (source.shape[1] - len(here))
        assert target[row].tolist() == [1, *there, 2] + [0] * (target.shape[1] - len(there) - 2)
    assert (source != 0).any(0).all()
    assert (target != 0).any(0).all()


def test_an_empty_batch(root: Path) -> None:
    source, target = data.load("tsv", root).train.batch(torch.tensor([], dtype=torch.int64))
    assert source.shape == target.shape == (0, 0)


def test_an_index_outside_the_split_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match="indices held 6, but each must be from 0 to 5"):
        data.load("tsv", root).test.batch(torch.tensor([6]))


def test_long_sentences_can_be_left_out_with_the_same_vocabulary(root: Path) -> None:
    whole, short = data.load("tsv", root), data.load("tsv", root, max_words=7)
    expected = [pair for pair in pairs()[:24] if max(len(side.split()) for side in pair) <= 7]
    assert 0 < len(expected) < 24
    assert list(zip(short.train.sources, short.train.targets, strict=True)) == expected
    assert short.vocabulary.tokenizer.to_str() == whole.vocabulary.tokenizer.to_str()


@pytest.mark.parametrize("max_words", [0, -1, 2])
def test_a_limit_that_leaves_nothing_is_refused(root: Path, max_words: int) -> None:
    with pytest.raises(ValueError, match=rf"max_words was {max_words}, but every pair of train\.tsv"):
        data.load("tsv", root, max_words=max_words)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_missing_file_is_named(root: Path, part: str) -> None:
    (root / f"{part}.tsv").unlink()
    with pytest.raises(MercuricError, match=rf"{root / part}\.tsv is missing; tsv is made of your own train"):
        data.load("tsv", root)


def test_sentences_have_no_image_size_and_images_no_vocabulary(root: Path) -> None:
    with pytest.raises(ValueError, match="image_size was 32, but tsv holds sentences, for which"):
        data.load("tsv" + "", root, 32)
    with pytest.raises(
        ValueError, match="max_words was 9, but photos holds images, for which it must be None"
    ):
        data.load("photos" + "", max_words=9)
    with pytest.raises(ValueError, match="name was 'tsv', which holds sentences, but images are needed"):
        data.load_images("tsv", root)


def test_one_s_own_sentences_need_a_root_and_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"root was None, but tsv needs the folder that holds train\.tsv"):
        data.load("tsv")
    with pytest.raises(MercuricError, match=rf"tsv .* cannot be fetched: put train\.tsv, .* into {tmp_path}"):
        data.fetch("tsv", tmp_path)
