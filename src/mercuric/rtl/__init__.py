"""Is the hardware there? MERCURY's array as circuits in Amaranth, equal to the simulator cycle for cycle."""

from mercuric.extras import needed_for

with needed_for("mercuric.rtl", "rtl"):
    import amaranth  # noqa: F401 - whether it is there
