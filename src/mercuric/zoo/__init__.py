"""On which networks is it measured?"""

from mercuric.zoo.network import Form, form
from mercuric.zoo.registry import build, names
from mercuric.zoo.width import narrow

__all__ = ["Form", "build", "form", "names", "narrow"]
