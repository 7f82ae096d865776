"""How much did a model's calls share?"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PrefixReport:
    """What a handle saw so far.

    Attributes:
        calls: of the model.
        shared: of these, how many were computed as a tree.
        tokens: in all calls, padding among them.
        computed: of these, how many were computed: the nodes of trees, and all tokens of the other calls.
        dense: why the other calls were computed as they were given, and how many for each reason.
    """

    calls: int
    shared: int
    tokens: int
    computed: int
    dense: Mapping[str, int]

    @property
    def share(self) -> float:
        """Which part of the tokens was not computed."""
        return 1 - self.computed / self.tokens if self.tokens else 0.0

    @property
    def limit(self) -> float:
        """How many times faster that can be at best, where each token costs the same."""
        return self.tokens / self.computed if self.computed else 1.0

    def __str__(self) -> str:
        lines = [
            f"{self.shared} of {self.calls} calls as a tree of prefixes: {self.computed} of {self.tokens} "
            f"tokens computed, {self.limit:.2f} times fewer"
        ]
        lines += [f"{count} dense: {reason}" for reason, count in self.dense.items()]
        return "\n".join(lines)
