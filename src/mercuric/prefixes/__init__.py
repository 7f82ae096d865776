"""How does a batch of text compute what its sequences have in common once?"""

from mercuric.prefixes.followed import FAMILIES
from mercuric.prefixes.handle import PrefixHandle, share_prefixes
from mercuric.prefixes.report import PrefixReport

__all__ = ["FAMILIES", "PrefixHandle", "PrefixReport", "share_prefixes"]
