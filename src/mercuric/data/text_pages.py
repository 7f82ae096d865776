"""Which pages of text are there on every machine? Those that are set here from what Python packages say."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from mercuric.data.docstring_blocks import Block, Code, blocks
from mercuric.data.docstrings import entries, source_folder
from mercuric.data.normalisation import measured
from mercuric.data.split import ImageData, InMemorySplit
from mercuric.data.typesetting import Pixels, Style, pages
from mercuric.errors import ArgumentError, MercuricError

NAME = "text-pages"
DEFAULT_SIZE, SMALLEST_SIZE, LARGEST_SIZE = 256, 128, 1024
PAGES = 50
"""Of each document; every fifth one is for testing."""

_PAGES_A_TEST_PAGE = 5


@dataclass(frozen=True)
class Document:
    """The docstrings of a folder of a package, as one document.

    Attributes:
        title: what stands in the head of its pages.
        package: as it is imported.
        folder: below the package's own.
        style: its type.
    """

    title: str
    package: str
    folder: str
    style: Style


DOCUMENTS = (
    Document("networkx.algorithms", "networkx", "algorithms", Style(12, 16)),
    Document("numpy.lib", "numpy", "lib", Style(11, 14)),
    Document("pandas.core", "pandas", "core", Style(13, 17)),
    Document("plotly.graph_objs", "plotly", "graph_objs", Style(12, 15)),
    Document("skimage", "skimage", "", Style(14, 18)),
    Document("sklearn.linear_model", "sklearn", "linear_model", Style(11, 15)),
    Document("scipy.stats", "scipy", "stats", Style(13, 16)),
    Document("sympy.physics", "sympy", "physics", Style(12, 17)),
    Document("torch.nn", "torch", "nn", Style(14, 17)),
    Document("torchvision", "torchvision", "", Style(11, 16)),
)


def present() -> bool:
    """Whether every package is installed."""
    try:
        return all(source_folder(document.package, document.folder) for document in DOCUMENTS)
    except MercuricError:
        return False


def load(image_size: int | None) -> ImageData:
    """400 training and 100 test pages, grey, of ten documents; the class is the document.

    The first 50 pages of each, whose type is as large at every ``image_size``: a larger page holds more.
    Every fifth one is for testing; a page that an earlier one equals is passed over. Normalised by the
    training pages' statistics.

    Args:
        image_size: side of a page in pixels (256), from 128 to 1024.

    Raises:
        ValueError: ``image_size`` is out of range.
        MercuricError: a package is missing, or does not fill its pages.
    """
    size = DEFAULT_SIZE if image_size is None else image_size
    if not SMALLEST_SIZE <= size <= LARGEST_SIZE:
        raise ArgumentError(
            f"image_size was {size}, but it must be from {SMALLEST_SIZE} to {LARGEST_SIZE} pixels"
        )
    images = torch.from_numpy(np.stack([_pages(document, size) for document in DOCUMENTS])).unsqueeze(2)
    labels = torch.arange(len(DOCUMENTS))[:, None].expand(-1, PAGES)
    testing = torch.arange(PAGES) % _PAGES_A_TEST_PAGE == _PAGES_A_TEST_PAGE - 1
    train_images, test_images = (images[:, chosen].flatten(0, 1) for chosen in (~testing, testing))
    normalisation = measured(train_images)
    train = InMemorySplit(train_images, labels[:, ~testing].flatten(), normalisation)
    test = InMemorySplit(test_images, labels[:, testing].flatten(), normalisation)
    return ImageData(NAME, tuple(document.title for document in DOCUMENTS), 1, size, train, test)


def _pages(document: Document, image_size: int) -> Pixels:
    """(50, image_size, image_size)."""
    every_page = pages(_blocks(document), document.style, document.title, image_size)
    made = list(islice(_different(every_page), PAGES))
    if len(made) < PAGES:
        raise MercuricError(
            f"the docstrings of {document.title} filled {len(made)} pages of {image_size} pixels, "
            f"but must fill {PAGES}; take a smaller image_size, or a newer {document.package}"
        )
    return np.stack(made)


def _different(all_pages: Iterator[Pixels]) -> Iterator[Pixels]:
    seen = set()
    for page in all_pages:
        content = page.tobytes()
        if content not in seen:
            seen.add(content)
            yield page


def _blocks(document: Document) -> Iterator[Block]:
    for entry in entries(source_folder(document.package, document.folder)):
        yield Code((entry.name,))
        yield from blocks(entry.text)
