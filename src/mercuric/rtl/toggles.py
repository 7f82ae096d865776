"""How often does each net of a circuit flip? Counted from the waveforms (VCD) that a simulator writes."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from mercuric.rtl.nets import Circuit, Net, Place, component


@dataclass(frozen=True)
class Operation:
    """Something that is done as often in a cycle as bits of a signal are set.

    Attributes:
        name: what is done.
        component: in whose instances.
        signal: its name in there.
        held: whether it is not done while the component, or what it is in, has no ``enable``.
    """

    name: str
    component: str
    signal: str
    held: bool = True


OPERATIONS = (
    Operation("multiplications", "terms", "multiply"),
    Operation("sums passed on", "pe", "passes"),
    Operation("dot products", "turns", "start"),
    Operation("results", "turns", "leaving"),
    Operation("results written", "turns", "stores"),
    Operation("signature bits", "signature_table", "shift"),
    Operation("lookups", "queue", "served", held=False),
)


@dataclass
class Section:
    """What was counted in a part of a simulation.

    Attributes:
        cycles: of the clock.
        flips: of the bits of each net.
        operations: by the names of :data:`OPERATIONS`.
    """

    cycles: int = 0
    flips: dict[Net, int] = field(default_factory=lambda: defaultdict(int))
    operations: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Toggles:
    """Counts flips and operations of one circuit; a simulator takes it as the file of its waveforms.

    Of the values that a net takes at one point in time only the last counts: there are no delays, and so no
    glitches. Nothing is counted until :meth:`begin`.

    Args:
        circuit: whose nets are counted; others in the waveforms are passed over.
        root: what the simulator puts above the top component's name.
        clock: its name in the top component.
    """

    def __init__(self, circuit: Circuit, root: Place = ("bench",), clock: str = "clk") -> None:
        self.sections: dict[str, Section] = {}
        self._root, self._clock = root, (*root, circuit.nets[0].place[0], clock)
        self._nets = {(*root, *net.place, net.name): net for net in circuit.nets}
        self._codes: dict[Place, str] = {}
        self._scope: list[str] = []
        self._header, self._rest = True, ""
        self._by_code: dict[str, Net] = {}
        self._operations: list[tuple[str, str, str | None]] = []
        self._values: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._now: Section | None = None

    @property
    def found(self) -> tuple[Net, ...]:
        """Nets that the waveforms have; known when their head is read."""
        return tuple(self._by_code.values())

    def begin(self, section: str | None) -> None:
        """Count for a section, from the clock edge on that has just been; None: count nothing."""
        self._now = None if section is None else self.sections.setdefault(section, Section())

    def write(self, text: str) -> None:
        """Take a piece of a VCD file, which ends where it may."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if self._header:
                self._declare(line.split())
            elif line:
                self._change(line)

    def flush(self) -> None:
        """What files can do: nothing waits here."""

    def _declare(self, words: list[str]) -> None:
        match words:
            case ["$scope", _, name, "$end"]:
                self._scope.append(name)
            case ["$upscope", "$end"]:
                self._scope.pop()
            case ["$var", _, _, code, name, *_]:
                self._codes[*self._scope, name] = code
            case ["$enddefinitions", "$end"]:
                self._header = False
                self._by_code = {
                    code: self._nets[place] for place, code in self._codes.items() if place in self._nets
                }
                self._operations = list(self._found_operations())
                watched = [code for _, *codes in self._operations for code in codes if code]
                self._values = dict.fromkeys([*self._by_code, *watched, self._codes[self._clock]], 0)

    def _found_operations(self) -> Iterator[tuple[str, str, str | None]]:
        """Each operation's name, its signal's code, and the code of what holds it."""
        known = {(one.component, one.signal): one for one in OPERATIONS}
        for place, code in self._codes.items():
            *scope, signal = place
            one = known.get((component(tuple(scope)), signal)) if scope else None
            if one:
                above = [self._codes.get((*scope[:depth], "enable")) for depth in range(len(scope), 0, -1)]
                yield one.name, code, next(filter(None, above), None) if one.held else None

    def _change(self, line: str) -> None:
        mark = line[0]
        if mark == "#":
            self._settle()
        elif mark in "01":
            self._take(line[1:], int(mark))
        elif mark == "b":
            digits, code = line[1:].split(" ")
            if code in self._values:
                self._next[code] = int(digits, 2)
        elif mark == "s":  # a state by its name: one bit stands for it
            code = line.rpartition(" ")[2]
            self._take(code, 1 - self._values.get(code, 0))

    def _take(self, code: str, value: int) -> None:
        if code in self._values:
            self._next[code] = value

    def _settle(self) -> None:
        """The values of a point in time are known; a cycle's operations are those in its middle."""
        values, now = self._values, self._now
        for code, value in self._next.items():
            if now and code in self._by_code:
                now.flips[self._by_code[code]] += (values[code] ^ value).bit_count()
            values[code] = value
        if now and self._next.get(self._codes[self._clock]) == 0:
            now.cycles += 1
            for name, code, gate in self._operations:
                if gate is None or values[gate]:
                    now.operations[name] += values[code].bit_count()
        self._next = {}
