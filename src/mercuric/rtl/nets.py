"""Which nets does a circuit have, which of them are registers, and whose are they?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import sub
from typing import Any, Literal

from amaranth.hdl import Const, Fragment, MemoryInstance, Shape, Signal, Value
from amaranth.sim import Simulator

Kind = Literal["register", "file", "memory", "logic", "wire"]
Place = tuple[str, ...]


@dataclass(frozen=True)
class Net:
    """A signal of a circuit, or a word of a memory.

    Attributes:
        place: the names of the components that it is in, from the top down to the one that drives it.
        name: of the signal in it, as a simulator's waveforms have it.
        width: bits.
        kind: ``"register"``: set by the clock; ``"file"``: a word of a memory of registers; ``"memory"``: of
            another; ``"logic"``: computed; ``"wire"``: bits of other nets as they are, a branch of those.
    """

    place: Place
    name: str
    width: int
    kind: Kind

    @property
    def component(self) -> str:
        """What it is in, without the number that tells an instance from others."""
        return component(self.place)


@dataclass(frozen=True)
class Circuit:
    """A circuit in Amaranth's simulator.

    Attributes:
        simulator: which has neither clock nor test bench yet.
        nets: of all components but the clock.
    """

    simulator: Simulator
    nets: tuple[Net, ...]

    def instances(self, name: str) -> int:
        """How many components there are of a name."""
        places = {net.place[:depth] for net in self.nets for depth in range(1, len(net.place) + 1)}
        return sum(component(place) == name for place in places)

    def bits(self, kind: Kind, name: str | None = None) -> int:
        """Bits of a kind, of one component or of all."""
        nets = (net for net in self.nets if net.kind == kind)
        return sum(net.width for net in nets if name in (None, net.component))


def component(place: Place) -> str:
    """``("top", "worker_3", "pe_set")`` is a ``pe_set``, ``("top", "worker_3")`` a ``worker``."""
    return sub(r"_\d+$", "", place[-1])


def elaborate(circuit: Any) -> Circuit:
    """The nets of a component of Amaranth, and of all in it.

    A signal is one net in the component that drives it; those that nothing drives are the top's inputs.
    """
    simulator = Simulator(circuit)
    design = simulator._design
    found: list[Net] = []
    seen = {id(domain.clk) for domain in design.fragment.domains.values()}
    for one, info in design.fragments.items():
        place = tuple(info.name)
        if isinstance(one, MemoryInstance):
            found += _words(one, place)
        for signal, kind in _driven(one):
            if id(signal) not in seen and signal in info.signal_names:
                seen.add(id(signal))
                found.append(Net(place, info.signal_names[signal], len(signal), kind))
    top = design.fragments[design.fragment]
    found += [
        Net(tuple(top.name), name, len(signal), "wire")
        for signal, name in top.signal_names.items()
        if id(signal) not in seen
    ]
    return Circuit(simulator, tuple(found))


def _words(memory: MemoryInstance, place: Place) -> Iterator[Net]:
    width = Shape.cast(memory._data.shape).width
    kind: Kind = "file" if memory._attrs.get("ram_style") == "registers" else "memory"
    for row in range(memory._data.depth):
        yield Net(place[:-1], f"\\{place[-1]}[{row}]", width, kind)


def _driven(one: Fragment) -> Iterator[tuple[Signal, Kind]]:
    """What a component drives; a signal that it computes in part is logic."""
    if isinstance(one, MemoryInstance):
        for port in one._read_ports:
            kind: Kind = "logic" if port._domain == "comb" else "register"
            yield from ((signal, kind) for signal in port._data._lhs_signals())
    for domain, statements in one.statements.items():
        if domain != "comb":
            yield from ((signal, "register") for signal in statements._lhs_signals())
            continue
        computed = {id(signal) for signal in _computed(statements)}
        for signal in statements._lhs_signals():
            yield signal, "logic" if id(signal) in computed else "wire"


def _computed(statements: Iterable[Any]) -> Iterator[Signal]:
    """Signals with a condition before them, or more than other signals' bits in them."""
    for statement in statements:
        assigns = hasattr(statement, "rhs")
        if not (assigns and _copies(statement.lhs) and _copies(statement.rhs)):
            yield from statement._lhs_signals()


def _copies(value: Value) -> bool:
    """Whether a value is bits of signals and constants as they are."""
    if isinstance(value, Signal | Const):
        return True
    parts = getattr(value, "parts", None)
    if parts is not None:
        return all(map(_copies, parts))
    if hasattr(value, "start"):  # a slice
        return _copies(value.value)
    return getattr(value, "operator", None) in ("u", "s") and _copies(value.operands[0])
