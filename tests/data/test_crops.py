import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercuric.data.crops import Box, crops, tiles


@st.composite
def photograph_sizes(draw: st.DrawFn) -> tuple[int, int, int]:
    image_size = draw(st.integers(1, 40))
    height = draw(st.integers(image_size, image_size + 90))
    width = draw(st.integers(2 * image_size, 2 * image_size + 90))
    return height, width, image_size


def pixels(boxes: tuple[Box, ...], height: int, width: int) -> torch.Tensor:
    seen = torch.zeros(height, width, dtype=torch.int64)
    for box in boxes:
        seen[box.top : box.bottom, box.left : box.right] += 1
    return seen


@settings(max_examples=40, deadline=None)
@given(photograph_sizes())
def test_tiles_cover_every_pixel_once(sizes: tuple[int, int, int]) -> None:
    height, width, image_size = sizes
    parts = tiles(height, width, image_size)
    assert (pixels(parts["train"] + parts["test"], height, width) == 1).all()
    assert parts["train"]
    assert 1 <= len(parts["test"]) <= len(parts["train"])


@settings(max_examples=40, deadline=None)
@given(photograph_sizes())
def test_training_and_test_crops_share_no_pixel(sizes: tuple[int, int, int]) -> None:
    height, width, image_size = sizes
    train = crops(height, width, image_size, "train", 30)
    test = crops(height, width, image_size, "test", 30)
    both = (pixels(train, height, width) > 0) & (pixels(test, height, width) > 0)
    assert not both.any()
    for box in train + test:
        assert (box.bottom - box.top, box.right - box.left) == (image_size, image_size)
        assert min(box.top, box.left) >= 0
        assert box.bottom <= height
        assert box.right <= width


def test_no_crop_is_drawn_twice_before_each_was_drawn_once() -> None:
    boxes = crops(4, 6, 3, "test", 6)
    assert len(set(boxes[:2])) == 2
    assert boxes == boxes[:2] * 3


@pytest.mark.parametrize(("height", "width"), [(31, 64), (32, 63)])
def test_too_small_a_photograph_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"{width}x{height} pixels, but crops of 32 pixels need 64x32"):
        tiles(height, width, 32)
