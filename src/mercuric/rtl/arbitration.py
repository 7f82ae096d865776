"""Who gets a port where fewer are there than may ask? Who comes first by number."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth import Module, Signal, Value, ValueCastable


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


def chosen(grant: Value, values: Iterable[Value | ValueCastable]) -> Value:
    """What the one has that is granted; 0 where none is."""
    words = (Value.cast(value) for value in values)
    return reduce(or_, (word & bit.replicate(len(word)) for bit, word in zip(grant, words, strict=True)))
