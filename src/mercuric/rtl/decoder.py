"""Which of many is named by a number, as a word with its bit alone? And by which number is such a bit?"""

from amaranth import Cat, Module, Signal, Value
from amaranth.utils import bits_for


def decoded(m: Module, number: Value, enable: Value, size: int) -> Value:
    """The word of ``size`` bits whose bit ``number`` is set, if ``enable``.

    Each half of the number is decoded by itself, so that a bit of the word needs one gate: a shifter, which
    is what ``1 << number`` becomes, has a layer of ``size`` multiplexers for each bit of the number.

    Args:
        m: where the signals are driven.
        number: under ``size``.
        enable: whether any bit is set.
        size: at least 1.
    """
    low, high = number[: len(number) // 2], number[len(number) // 2 :]
    columns, rows = Signal(1 << len(low)), Signal(1 << len(high))
    m.d.comb += [
        columns.eq(Cat(low == each for each in range(len(columns)))),
        rows.eq(Cat(enable & (high == each) for each in range(len(rows)))),
    ]
    return Cat(row.replicate(len(columns)) & columns for row in rows)[:size]


def encoded(bits: Value) -> Value:
    """The number of the only bit that is set; 0 where none is."""
    return Cat(
        Cat(bits[place] for place in range(len(bits)) if place >> digit & 1).any()
        for digit in range(bits_for(len(bits) - 1))
    )
