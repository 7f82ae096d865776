"""Who gets a port where fewer are there than may ask? Who comes first by number."""

from collections.abc import Iterable, Sequence

from amaranth import Array, Cat, Const, Module, Signal, Value, ValueCastable

from mercuric.rtl.decoder import encoded

Grant = Sequence[Value]
"""A bit for each that may ask: at most one is set."""


def grants(m: Module, asks: Value, ports: int, name: str) -> list[Signal]:
    """For each port the one that gets it, as a word with its bit alone: the first that asks, the second ...

    Args:
        m: where the signals are driven.
        asks: a bit for each that may ask.
        ports: how many are there.
        name: of the signals.
    """
    granted = []
    left = asks
    for port in range(ports):
        first = Signal(len(asks), name=f"{name}_{port}")
        m.d.comb += first.eq(left & -left)
        granted.append(first)
        left = left & ~first
    return granted


def chosen(grant: Iterable[Value], values: Iterable[Value | ValueCastable]) -> Value:
    """What the one has that is granted; anything where none is. Those that never are cost nothing.

    By the number of the one, because a multiplexer is smaller than a gate and an input for each.
    """
    asked = [(bit, Value.cast(value)) for bit, value in zip(grant, values, strict=True)]
    may = [(bit, value) for bit, value in asked if not isinstance(bit, Const)]
    if len(may) == 1:
        return may[0][1]
    return Array(value for _, value in may)[encoded(Cat(bit for bit, _ in may))]
