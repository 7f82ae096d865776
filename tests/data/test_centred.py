from io import BytesIO

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from mercuric.data.centred import BLANK, decoded, fingerprints, square
from mercuric.errors import MercuricError

SIDES = (1, 2, 3, 5, 8)
PICTURES = array_shapes(min_dims=2, max_dims=2, max_side=7).flatmap(
    lambda shape: arrays(np.uint8, (*shape, 3), elements=st.sampled_from([0, 255]))
)


def saved(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@given(PICTURES, st.integers(1, 9))
def test_a_square_holds_the_picture_s_pixels_and_white(picture: np.ndarray, side: int) -> None:
    made = square(picture, side)
    assert made.shape == (side, side, 3)
    height, width = picture.shape[:2]
    for row in range(side):
        for column in range(side):
            y, x = row - side // 2 + height // 2, column - side // 2 + width // 2
            inside = 0 <= y < height and 0 <= x < width
            assert (made[row, column] == (picture[y, x] if inside else 255)).all()


@given(PICTURES, PICTURES)
def test_fingerprints_are_equal_where_squares_are(one: np.ndarray, two: np.ndarray) -> None:
    prints = zip(fingerprints(one, SIDES), fingerprints(two, SIDES), strict=True)
    for side, (first, second) in zip(SIDES, prints, strict=True):
        assert (first == second) == np.array_equal(square(one, side), square(two, side))
        assert (first == BLANK) == (square(one, side) == 255).all()


@given(PICTURES, PICTURES, st.integers(1, 9), st.integers(1, 9))
def test_equal_squares_hold_equal_smaller_ones(
    one: np.ndarray, two: np.ndarray, side: int, other: int
) -> None:
    smaller, larger = sorted((side, other))
    if np.array_equal(square(one, larger), square(two, larger)):
        assert np.array_equal(square(one, smaller), square(two, smaller))


def test_what_shows_through_is_white() -> None:
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    image.putpixel((1, 0), (10, 20, 30, 0))
    assert decoded(saved(image), "name").tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "I;16"])
def test_every_kind_of_png_has_three_channels(mode: str) -> None:
    assert decoded(saved(Image.new(mode, (3, 2))), "name").shape == (2, 3, 3)


@pytest.mark.parametrize("kept", [0, 10, 60])
def test_what_is_no_whole_png_is_named(kept: int) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))
    with pytest.raises(MercuricError, match=r"^name\.png cannot be read as a PNG image"):
        decoded(saved(noise)[:kept], "name.png")


def test_another_format_is_refused() -> None:
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "BMP")
    with pytest.raises(MercuricError, match="cannot be read as a PNG image"):
        decoded(file.getvalue(), "name")
