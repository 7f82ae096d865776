"""What goes into a processing element, and what comes out? (paper III-B2, Fig. 8)"""

from amaranth import signed
from amaranth.lib.wiring import In, Out, Signature


def element_signature(word_bits: int) -> Signature:
    """The ports of a PE, whether its dot products overlap or not.

    ``multiply`` says that ``element`` and ``weight`` are there, ``first`` and ``last`` that they begin and
    end a row. ``above`` is the sum that the PE above passed on, one cycle after its ``passes``. In the
    cycle in which the PE ``passes``, ``sum`` is what it passes on; ``total`` keeps it from then on.
    """
    word = signed(word_bits)
    return Signature(
        {
            "multiply": In(1), "first": In(1), "last": In(1), "element": In(word), "weight": In(word),
            "overlap": In(1), "above": In(word), "above_passed": In(1),
            "passes": Out(1), "passed": Out(1), "sum": Out(word), "total": Out(word),
        }
    )  # fmt: skip
