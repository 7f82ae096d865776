"""On which images and sentences is it measured?"""

from mercuric.data.arrays import ArrayData, ArraySplit
from mercuric.data.catalogue import (
    Data,
    Description,
    describe,
    fetch,
    holds,
    is_known,
    load,
    load_images,
    names,
    own_forms,
    placed,
    require_images,
    resizes,
)
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
