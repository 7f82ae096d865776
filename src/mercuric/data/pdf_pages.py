"""How does a page of a PDF document become pixels?"""

import gzip
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from mercuric.errors import MercuricError
from mercuric.extras import needed_for

with needed_for("mercuric.data"):
    import pypdfium2

POINTS_AN_INCH = 72

_BARELY_LESS = 1 - 1e-9
"""So that a page of a whole number of pixels isn't stretched by one, for what is left of a division."""


@dataclass(frozen=True)
class PdfDocument:
    """An open document.

    Attributes:
        name: what errors call it.
        content: its file.
    """

    name: str
    content: pypdfium2.PdfDocument

    def __len__(self) -> int:
        """How many pages it has."""
        return len(self.content)

    def png(self, number: int, dpi: int) -> bytes:
        """A page drawn at ``dpi``, as a PNG file: grey where nothing on it is coloured.

        Args:
            number: of the page, from 0.
            dpi: pixels an inch.

        Raises:
            MercuricError: the page is damaged.
        """
        try:
            page = self.content[number]
            scale = dpi / POINTS_AN_INCH * _BARELY_LESS
            image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise MercuricError(f"page {number + 1} of {self.name} cannot be drawn ({error})") from error
        grey = image.convert("L")
        file = BytesIO()
        (grey if grey.convert("RGB").tobytes() == image.tobytes() else image).save(file, "PNG")
        return file.getvalue()


def open_pdf(path: Path) -> PdfDocument:
    """The document at ``path``, or where that is missing the gzipped one beside it.

    Raises:
        MercuricError: both are missing, or the file is damaged.
    """
    packed = path.with_name(f"{path.name}.gz")
    try:
        content = path.read_bytes() if path.is_file() else gzip.decompress(packed.read_bytes())
        return PdfDocument(path.name, pypdfium2.PdfDocument(content))
    except FileNotFoundError:
        raise MercuricError(f"{path.name} and {packed.name} are missing") from None
    except (EOFError, gzip.BadGzipFile, zlib.error, pypdfium2.PdfiumError) as error:
        raise MercuricError(f"{path.name} cannot be read as a PDF document ({error})") from error
