"""Who gets a port where fewer are there than may ask? Who comes first by number."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from amaranth import Const, Module, Signal, Value, ValueCastable

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
    """What the one has that is granted; 0 where none is. Those that never are cost nothing."""
    words = [
        Value.cast(value) & bit.replicate(len(Value.cast(value)))
        for bit, value in zip(grant, values, strict=True)
        if not isinstance(bit, Const)
    ]
    return reduce(or_, words)
