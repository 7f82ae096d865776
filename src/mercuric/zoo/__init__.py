"""On which networks is it measured?"""

from mercuric.zoo.network import Form, form
from mercuric.zoo.registry import build, names

__all__ = ["Form", "build", "form", "names"]
