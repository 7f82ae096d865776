"""Is the hardware there? MERCURY's array as circuits in Amaranth, equal to the simulator cycle for cycle."""
