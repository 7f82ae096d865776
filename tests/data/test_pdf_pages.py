import gzip
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_packages import numbered_page, pdf

from mercuric.data.pdf_pages import open_pdf
from mercuric.errors import MercuricError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "small.pdf"
    path.write_bytes(pdf([numbered_page(0), numbered_page(1, "1 0 0 rg"), b""]))
    return path


def drawn(path: Path, number: int, dpi: int) -> Image.Image:
    return Image.open(BytesIO(open_pdf(path).png(number, dpi)))


@pytest.mark.parametrize(("dpi", "size"), [(72, (60, 80)), (144, (120, 160)), (150, (125, 167))])
def test_pages_are_as_large_as_the_resolution_makes_them(path: Path, dpi: int, size: tuple[int, int]) -> None:
    assert len(open_pdf(path)) == 3
    assert drawn(path, 0, dpi).size == size


def test_black_on_white_is_grey_and_colours_stay(path: Path) -> None:
    black, red, empty = (drawn(path, number, 72) for number in range(3))
    assert (black.mode, red.mode, empty.mode) == ("L", "RGB", "L")
    assert np.unique(np.asarray(black)).tolist() == [0, 255]
    assert (np.asarray(empty) == 255).all()
    dark = (np.asarray(red) != 255).any(2)
    assert dark.any()
    assert (np.asarray(red)[dark] == [255, 0, 0]).all()


def test_a_gzipped_document_is_found_by_its_plain_name(path: Path) -> None:
    plain = open_pdf(path).png(0, 72)
    path.with_name("small.pdf.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert open_pdf(path).png(0, 72) == plain


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(MercuricError, match=r"^small\.pdf and small\.pdf\.gz are missing"):
        open_pdf(tmp_path / "small.pdf")


@pytest.mark.parametrize("kept", [0, 8, 100])
def test_a_truncated_document_is_named(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MercuricError, match=r"^small\.pdf cannot be read as a PDF document"):
        open_pdf(path)


def test_a_truncated_gzip_is_named(path: Path) -> None:
    path.with_name("small.pdf.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    path.unlink()
    with pytest.raises(MercuricError, match=r"^small\.pdf cannot be read as a PDF document"):
        open_pdf(path)


def test_a_page_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(MercuricError, match=r"^page 4 of small\.pdf cannot be drawn"):
        open_pdf(path).png(3, 72)
