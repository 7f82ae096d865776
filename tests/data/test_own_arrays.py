"""How are own arrays and random numbers read?"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mercuric import data
from mercuric.data import ArrayData, ImageData
from mercuric.data.arrays import ImagesOfArrays
from mercuric.data.own_arrays import OwnArrays


def write(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "own.npz", **arrays)
    return f"npz:{folder / 'own.npz'}"


def test_arrays_of_any_shape(tmp_path: Path) -> None:
    x = np.arange(30, dtype=np.float64).reshape(10, 3)
    loaded = data.load(write(tmp_path, x=x, y=np.arange(10) % 2))
    assert isinstance(loaded, ArrayData)
    assert (loaded.classes, loaded.shapes) == (("0", "1"), ((3,),))
    assert (len(loaded.train), len(loaded.test)) == (8, 2)
    (read,), labels = loaded.test.batch(torch.arange(2))
    assert read.dtype == torch.float32 and read.tolist() == x[[4, 9]].tolist() and labels.tolist() == [0, 1]


def test_several_inputs_keep_their_order_and_whole_numbers(tmp_path: Path) -> None:
    arrays = {f"x{place}": np.full((4, place + 1), place) for place in (10, 2, 0)}
    loaded = data.load(write(tmp_path, **arrays))
    assert isinstance(loaded, ArrayData)
    assert loaded.shapes == ((1,), (3,), (11,)) and loaded.classes == ()
    inputs, _ = loaded.train.batch(torch.arange(4))
    assert [one[0, 0].item() for one in inputs] == [0, 2, 10] and inputs[0].dtype == torch.int64


def test_images_of_8_bits_are_normalised_and_others_read_as_they_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 3, 6, 6), dtype=np.uint8)
    loaded = data.load(write(tmp_path, x=pixels, y=np.arange(10)))
    assert isinstance(loaded, ImageData) and (loaded.channels, loaded.image_size) == (3, 6)
    everything = torch.cat([part.batch(torch.arange(len(part)))[0] for part in (loaded.train, loaded.test)])
    assert loaded.train.pixels(torch.tensor([0])).tolist() == pixels[:1].tolist()
    assert abs(float(everything.mean())) < 0.1
    values = pixels.astype(np.float32)
    loaded = data.load_images(
        write(tmp_path, x=values, x_test=values[:2], y=np.arange(10), y_test=np.arange(2))
    )
    assert isinstance(loaded.train, ImagesOfArrays) and len(loaded.train) == 10 and len(loaded.test) == 2
    assert loaded.train.batch(torch.arange(10))[0].tolist() == values.tolist()
    shown = loaded.train.pixels(torch.arange(10))
    assert shown.dtype == torch.uint8 and (int(shown.min()), int(shown.max())) == (0, 255)
    moved, _ = loaded.train.batch(torch.arange(10), torch.Generator().manual_seed(0))
    assert moved.shape == (10, 3, 6, 6) and not torch.equal(moved, torch.from_numpy(values))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"z": np.zeros(3)}, "holds z, but must be an .npz file"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2, int)}, "holds x (3, 2), y (2,), but all must have as many"),
        ({"x": np.zeros((3, 2)), "y": np.zeros((3, 2), int)}, "y (3, 2), but all must have as many"),
        ({"x": np.zeros((0, 2))}, "holds x (0, 2), but all must have"),
        ({"x": np.array(["a"])}, "x of"),
        ({"x": np.array([None])}, "can't be read"),
        ({"x": np.zeros((3, 2)), "y": np.array([0, -1, 1])}, "must be classes: whole numbers from 0"),
        ({"x": np.zeros((3, 2)), "y": np.array([0.5, 1, 1])}, "must be classes"),
        ({"x": np.zeros((3, 2)), "y": np.array([0, 1, 99])}, "names class 99"),
        ({"x": np.zeros((3, 2)), "x_test": np.zeros((3, 4))}, "of other shapes than those to train on"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as raised:
        data.load(write(tmp_path, **arrays))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_no_such_file_or_another_kind(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="there is no file"):
        data.load("npz:gone.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="but is none"):
        data.load(f"npz:{tmp_path / 'one.npy'}")
    with pytest.raises(ValueError, match="root was None, but npz needs"):
        data.load("npz")
    with pytest.raises(ValueError, match="must be square images"):
        data.load_images(write(tmp_path, x=np.zeros((3, 2))))


def test_random_numbers_are_the_same_each_time() -> None:
    loaded = data.load("random:2x3,4:7")
    assert isinstance(loaded, ArrayData) and loaded.shapes == ((2, 3), (4,))
    (values, whole), labels = loaded.train.batch(torch.tensor([5, 0, 5]))
    assert torch.equal(values[0], values[2]) and not torch.equal(values[0], values[1])
    assert whole.dtype == torch.int64 and int(whole.min()) >= 0 and int(whole.max()) < 7
    assert labels.tolist() == [5, 0, 5]
    again, _ = data.load("random:2x3,4:7").train.batch(torch.tensor([5]))  # type: ignore[misc]
    assert torch.equal(again[0], values[:1])
    tested, _ = loaded.test.batch(torch.tensor([5]))
    assert not torch.equal(tested[0], values[:1])


def test_one_square_input_is_an_image() -> None:
    assert isinstance(data.load("random:3x8x8"), ImageData)
    assert data.load_images("random:1x8x8", image_size=8).image_size == 8
    for other in ("random:3x8x9", "random:5x8x8", "random:3x8x8:9", "random:3x8x8,1"):
        assert isinstance(data.load(other), ArrayData)


@pytest.mark.parametrize("shape", ["3x?x4", "3x-1", "0x3", "a", "3,", "3x3:0", "99999999x99999999", " "])
def test_shapes_that_are_refused(shape: str) -> None:
    with pytest.raises(ValueError, match=r"shape of random data was|root was"):
        data.load(f"random:{shape}")


def test_a_place_after_a_colon(tmp_path: Path) -> None:
    assert data.placed("imagefolder:a:b") == ("imagefolder", "a:b")
    assert data.is_known("npz:x") and not data.is_known("photos:x") and not data.is_known("foto")
    with pytest.raises(ValueError, match="nothing follows its name"):
        data.load("photos:3")
    with pytest.raises(Exception, match="is missing"):
        data.load(f"imagefolder:{tmp_path}")
    with pytest.raises(ValueError, match="image_size was 9, but random:3x8x8 holds another one"):
        data.load("random:3x8x8", image_size=9)


def test_chosen_examples() -> None:
    arrays = OwnArrays((torch.arange(6).view(3, 2),), torch.arange(3))
    assert len(arrays.at(torch.tensor([True, False, True]))) == 2
    assert arrays.few(2).tolist() == [0, 1]
