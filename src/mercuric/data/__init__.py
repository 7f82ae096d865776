"""On which images is it measured?"""

from mercuric.data.catalogue import Description, describe, fetch, load, names
from mercuric.data.location import data_root
from mercuric.data.split import ImageData, Split

__all__ = ["Description", "ImageData", "Split", "data_root", "describe", "fetch", "load", "names"]
