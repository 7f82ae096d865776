"""How does whoever counts get the calls of a network's layers, be they made now, saved, or assumed?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mercuric.reuse import Alike
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.normalisation import Normalisation

Listen = Callable[[LayerCall], None]
"""Called with each call in turn: ``add`` of whatever counts or saves calls."""


@dataclass(frozen=True)
class RunFacts:
    """What is known of calls once all of them were told.

    Attributes:
        order: the layers' names in the network's order, those that can't reuse among them; empty: that of
            the first calls.
        errors: relative output error of each layer where it was measured.
        normalisation: the statistics that layers normalised by; None: nothing says it.
        coverage: as :meth:`~mercuric.trace.coverage.Coverage.to_dict`; None: nothing says it.
        counts: of layers whose calls don't tell them: HIT, MAU, MNU, zero and zero_hits.
    """

    order: tuple[str, ...] = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    normalisation: Normalisation | None = None
    coverage: Mapping[str, Any] | None = None
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def run(self) -> dict[str, Any]:
        """How the network ran, for files that its Hitmaps are saved in."""
        return {"normalisation": self.normalisation, "coverage": self.coverage}


class Calls(Protocol):
    """Calls of a network's layers, told one at a time: of none anything is kept when the next one comes.

    They are told, not iterated over: a forward pass makes them, and goes on when the listeners return.
    """

    @property
    def config(self) -> Alike:
        """How similarity was found."""
        ...

    def tell(self, *listeners: Listen) -> RunFacts:
        """Tell every listener every call; what a listener raises goes through."""
        ...


@dataclass(frozen=True)
class KnownCalls:
    """Calls that no network has to make: read from files, or assumed.

    Attributes:
        config: how similarity was found.
        calls: the calls, one at a time.
        facts: what is known of them.
    """

    config: Alike
    calls: Iterable[LayerCall]
    facts: RunFacts

    def tell(self, *listeners: Listen) -> RunFacts:
        """As :meth:`Calls.tell`; damage that is found in a file meanwhile is raised."""
        tell = to_all(listeners)
        for call in self.calls:
            tell(call)
        return self.facts


def to_all(listeners: Sequence[Listen]) -> Listen:
    """What tells a call to each of them, in turn."""

    def tell(call: LayerCall) -> None:
        for listener in listeners:
            listener(call)

    return tell
