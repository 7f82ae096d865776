"""Which filters are dealt together?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FilterGroups:
    """A layer's filters, some at a time.

    Attributes:
        each: filters of a group.
        number: groups.
        last: filters of the last one.
    """

    each: int
    number: int
    last: int

    @classmethod
    def of(cls, filters: int, in_flight: int | None) -> "FilterGroups":
        """``filters`` of a layer in groups of ``in_flight``; None: all at once."""
        each = min(filters, in_flight or filters)
        number = -(-filters // each) if each else 1
        return cls(each, number, filters - (number - 1) * each)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The different sizes of groups: the first's, and the last's where it has fewer."""
        return tuple(dict.fromkeys((self.each, self.last)))
