"""On which images and sentences is it measured?"""

from mercuric.data.arrays import ArrayData, ArraySplit
from mercuric.data.catalogue import Data, holds, is_known, names, own_forms, placed, resizes
from mercuric.data.loading import Description, describe, fetch, load, load_images, require_images
from mercuric.data.location import data_root
from mercuric.data.split import ImageData, Split
from mercuric.data.text import TextData, TextSplit

__all__ = [
    "ArrayData",
    "ArraySplit",
    "Data",
    "Description",
    "ImageData",
    "Split",
    "TextData",
    "TextSplit",
    "data_root",
    "describe",
    "fetch",
    "holds",
    "is_known",
    "load",
    "load_images",
    "names",
    "own_forms",
    "placed",
    "require_images",
    "resizes",
]
