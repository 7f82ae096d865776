"""On which images and sentences is it measured?"""

from mercuric.data.catalogue import Description, describe, fetch, holds, load, load_images, names
from mercuric.data.location import data_root
from mercuric.data.split import ImageData, Split
from mercuric.data.text import TextData, TextSplit

__all__ = [
    "Description",
    "ImageData",
    "Split",
    "TextData",
    "TextSplit",
    "data_root",
    "describe",
    "fetch",
    "holds",
    "load",
    "load_images",
    "names",
]
