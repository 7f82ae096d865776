"""On which networks is it measured?"""

from mercuric.zoo.network import Form, form
from mercuric.zoo.registry import TRANSFORMER, Reads, all_names, build, names, reads
from mercuric.zoo.transformer import build_transformer
from mercuric.zoo.width import narrow

__all__ = [
    "TRANSFORMER",
    "Form",
    "Reads",
    "all_names",
    "build",
    "build_transformer",
    "form",
    "names",
    "narrow",
    "reads",
]
