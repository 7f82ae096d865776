from itertools import islice

import numpy as np
import pytest
from PIL import ImageFont

from mercuric.data import typesetting
from mercuric.data.docstring_blocks import Block, Code, Heading, Paragraph, Table
from mercuric.data.typesetting import Pixels, Style, pages
from mercuric.errors import MercuricError

STYLE = Style(12, 16)


def first_page(*blocks: Block, image_size: int = 256) -> Pixels:
    return next(pages(blocks, STYLE, "title", image_size))


def body(page: Pixels) -> Pixels:
    """Without the head."""
    margin = page.shape[0] // 16
    return page[margin + STYLE.leading + STYLE.leading // 2 :]


def test_equal_words_are_equal_pixels_wherever_they_stand() -> None:
    page = body(first_page(Paragraph("same other"), Paragraph("same words"), Paragraph("different", 3)))
    rows = [page[start : start + STYLE.leading] for start in (0, STYLE.leading + STYLE.leading // 3)]
    assert np.array_equal(rows[0][:, :40], rows[1][:, :40])
    assert not np.array_equal(rows[0], rows[1])


def test_a_letter_has_the_same_pixels_in_every_word() -> None:
    def ink(text: str) -> Pixels:
        page = body(first_page(Code((text,))))
        return page[: 2 * STYLE.leading]

    cell = 7
    one, two = ink("n"), ink("  n")
    assert np.array_equal(one[:, 26:36], two[:, 26 + 2 * cell : 36 + 2 * cell])


def test_glyphs_are_smoothed_and_the_paper_is_white() -> None:
    page = first_page(Paragraph("rounded glyphs"))
    assert (page == 255).mean() > 0.9
    assert (page == 0).any()
    assert ((page > 0) & (page < 255)).any()


@pytest.mark.parametrize("image_size", [128, 129, 256, 1000])
def test_nothing_is_drawn_in_the_margins(image_size: int) -> None:
    wide = Table((("a" * 200, "b"), ("c", "d")))
    blocks: list[Block] = [wide, Heading("Title " * 20), Paragraph("word " * 300), Code(("x" * 300,))]
    margin = image_size // 16
    for page in pages(blocks, STYLE, "title", image_size):
        assert page.shape == (image_size, image_size)
        assert (page[: margin - 1] == 255).all()
        assert (page[:, : margin - 3] == 255).all()
        assert (page[image_size - margin + 4 :] == 255).all()


def test_text_flows_onto_the_next_page_whose_number_is_another() -> None:
    made = list(pages([Paragraph("word " * 400)], STYLE, "title", 256))
    assert len(made) > 2
    heads = [page[: 256 // 16 + STYLE.leading] for page in made]
    assert not np.array_equal(heads[0], heads[1])
    assert np.array_equal(heads[0][:, :100], heads[1][:, :100])
    assert np.array_equal(body(made[0]), body(made[1]))


def test_a_table_has_lines_around_its_cells() -> None:
    page = body(first_page(Table((("name", "count"), ("left", "3")))))
    across, down = ((page == 0).sum(axis) for axis in (1, 0))
    assert (across > 50).sum() == 3
    assert (down > 20).sum() == 3


def test_no_blocks_are_no_pages() -> None:
    assert list(pages([], STYLE, "title", 256)) == []


def test_pages_are_made_as_they_are_asked_for() -> None:
    endless = (Paragraph("word " * 50) for _ in iter(int, 1))
    assert len(list(islice(pages(endless, STYLE, "title", 256), 2))) == 2


def test_pillow_without_freetype_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFont, "load_default", lambda _size: ImageFont.ImageFont())
    for cached in (typesetting._font, typesetting._advance, typesetting._glyph, typesetting._word):
        cached.cache_clear()
    with pytest.raises(MercuricError, match="Pillow was built without FreeType"):
        first_page(Paragraph("text"))
